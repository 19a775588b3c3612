//! Text to tokens, without a grammar: it goes on after a mistake, so that messages can name the cause.

use std::ops::Range;

use super::convert::escape;

/// A piece of the text. Blanks between tokens are left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) kind: TokenKind,
    pub(super) text: &'a str,
    /// In bytes from the start of the text.
    pub(super) start: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    Newline,
    Comment,
    Name,
    Number,
    /// `(`, `[` or `{`
    Open,
    /// `)`, `]` or `}`
    Close,
    Operator,
    OpenQuote,
    CloseQuote,
    QuotedText,
    /// A whole heredoc, from `<<` to its closing marker.
    Heredoc,
    /// `${` or `%{`, with its `~`
    OpenSequence,
    /// `}` or `~}`
    CloseSequence,
    /// Nothing that HCL knows.
    Unknown,
}

/// What keeps a text from being tokens; offsets are in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    UnclosedString {
        open: usize,
    },
    UnclosedHeredoc {
        open: usize,
    },
    UnclosedComment {
        open: usize,
    },
    /// A bracket, or the `{` of `${`, that nothing closes before the end.
    Unclosed {
        open: usize,
    },
    /// Closed by a bracket of another kind.
    Mismatched {
        open: usize,
        close: usize,
    },
    Stray {
        close: usize,
    },
    SingleQuote {
        at: usize,
    },
    /// A backslash in a string, and what follows has no meaning.
    UnknownEscape {
        at: usize,
    },
}

impl Token<'_> {
    pub(super) fn end(&self) -> usize {
        self.start + self.text.len()
    }

    pub(super) fn is(&self, text: &str) -> bool {
        self.text == text && matches!(self.kind, TokenKind::Operator | TokenKind::Open | TokenKind::Close)
    }
}

/// All tokens, and the first flaw.
pub(super) fn lex(text: &str) -> (Vec<Token<'_>>, Option<Flaw>) {
    let mut lexer = Lexer { text, at: 0, tokens: Vec::new(), frames: Vec::new(), flaw: None };
    while lexer.at < text.len() {
        match lexer.frames.last() {
            Some(Frame { kind: FrameKind::Quote, .. }) => lexer.quoted(),
            _ => lexer.plain(),
        }
    }
    let unclosed = lexer.frames.last().map(|frame| match frame.kind {
        FrameKind::Quote => Flaw::UnclosedString { open: frame.open },
        FrameKind::Bracket(_) | FrameKind::Sequence => Flaw::Unclosed { open: frame.open },
    });
    (lexer.tokens, lexer.flaw.or(unclosed))
}

/// The parts of a text, each at least this long, between which nothing is open: a part ends with a line
/// after which a new block or attribute can begin. `None` for a text with a flaw.
pub(super) fn top_level(text: &str, least: usize) -> Option<Vec<Range<usize>>> {
    let mut lexer = Lexer { text, at: 0, tokens: Vec::new(), frames: Vec::new(), flaw: None };
    let mut parts = Vec::new();
    let mut start = 0;
    while lexer.at < text.len() {
        match lexer.frames.last() {
            Some(Frame { kind: FrameKind::Quote, .. }) => lexer.quoted(),
            _ => lexer.plain(),
        }
        let ends_line = lexer.tokens.last().is_some_and(|token| token.kind == TokenKind::Newline);
        if ends_line && lexer.frames.is_empty() && lexer.at - start > least {
            parts.push(start..lexer.at);
            start = lexer.at;
        }
        lexer.tokens.clear();
    }
    parts.push(start..text.len());
    (lexer.flaw.is_none() && lexer.frames.is_empty()).then_some(parts)
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    tokens: Vec<Token<'a>>,
    frames: Vec<Frame>,
    flaw: Option<Flaw>,
}

struct Frame {
    kind: FrameKind,
    open: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum FrameKind {
    Bracket(char),
    Quote,
    Sequence,
}

const OPERATORS: [&str; 10] = ["...", "==", "!=", "<=", ">=", "&&", "||", "=>", "::", "??"];

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn push(&mut self, kind: TokenKind, length: usize) {
        let text = &self.text[self.at..self.at + length];
        self.tokens.push(Token { kind, text, start: self.at });
        self.at += length;
    }

    fn flaw(&mut self, flaw: Flaw) {
        self.flaw.get_or_insert(flaw);
    }

    /// The text of a string up to its end, an interpolation or the end of the line.
    fn quoted(&mut self) {
        let rest = self.rest();
        let mut length = 0;
        while let Some(char) = rest[length..].chars().next() {
            let here = &rest[length..];
            if here.starts_with("$${") || here.starts_with("%%{") {
                length += 3;
            } else if char == '\\' {
                if escape(&here[1..]).is_none() {
                    self.flaw(Flaw::UnknownEscape { at: self.at + length });
                }
                length += 1 + here[1..].chars().next().filter(|next| *next != '\n').map_or(0, char::len_utf8);
            } else if matches!(char, '"' | '\n') || here.starts_with("${") || here.starts_with("%{") {
                break;
            } else {
                length += char.len_utf8();
            }
        }
        if length > 0 {
            self.push(TokenKind::QuotedText, length);
        }
        match self.rest().chars().next() {
            Some('"') => {
                self.frames.pop();
                self.push(TokenKind::CloseQuote, 1);
            }
            Some('\n') => {
                if let Some(frame) = self.frames.pop() {
                    self.flaw(Flaw::UnclosedString { open: frame.open });
                }
            }
            Some(_) => self.sequence(),
            None => {}
        }
    }

    /// `${` or `%{`.
    fn sequence(&mut self) {
        self.frames.push(Frame { kind: FrameKind::Sequence, open: self.at });
        let length = if self.rest()[2..].starts_with('~') { 3 } else { 2 };
        self.push(TokenKind::OpenSequence, length);
    }

    fn plain(&mut self) {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else { return };
        match first {
            '\n' => self.push(TokenKind::Newline, 1),
            '"' => {
                self.frames.push(Frame { kind: FrameKind::Quote, open: self.at });
                self.push(TokenKind::OpenQuote, 1);
            }
            '(' | '[' | '{' => {
                self.frames.push(Frame { kind: FrameKind::Bracket(first), open: self.at });
                self.push(TokenKind::Open, 1);
            }
            ')' | ']' | '}' => self.close(first),
            '~' if rest.starts_with("~}") => self.close('}'),
            '#' => self.comment(),
            '/' if rest.starts_with("//") => self.comment(),
            '/' if rest.starts_with("/*") => match rest[2..].find("*/") {
                Some(end) => self.push(TokenKind::Comment, end + 4),
                None => {
                    self.flaw(Flaw::UnclosedComment { open: self.at });
                    self.push(TokenKind::Comment, rest.len());
                }
            },
            '<' if rest.starts_with("<<") && self.heredoc() => {}
            '0'..='9' => self.push(TokenKind::Number, number_length(rest)),
            _ if first.is_whitespace() => self.at += first.len_utf8(),
            _ if is_name_start(first) => {
                let length = rest.find(|char| !is_name_char(char)).unwrap_or(rest.len());
                self.push(TokenKind::Name, length);
            }
            _ => self.operator(first),
        }
    }

    fn operator(&mut self, first: char) {
        if let Some(operator) = OPERATORS.iter().find(|operator| self.rest().starts_with(**operator)) {
            self.push(TokenKind::Operator, operator.len());
        } else if "=<>!+-*/%?:,.&|".contains(first) {
            self.push(TokenKind::Operator, 1);
        } else {
            if first == '\'' {
                self.flaw(Flaw::SingleQuote { at: self.at });
            }
            self.push(TokenKind::Unknown, first.len_utf8());
        }
    }

    fn comment(&mut self) {
        let line = self.rest().lines().next().unwrap_or_default();
        self.push(TokenKind::Comment, line.trim_end().len());
    }

    fn close(&mut self, close: char) {
        let length = if self.rest().starts_with('~') { 2 } else { 1 };
        let matching = match close {
            ')' => '(',
            ']' => '[',
            _ => '{',
        };
        match self.frames.last() {
            Some(Frame { kind: FrameKind::Sequence, .. }) if close == '}' => {
                self.frames.pop();
                self.push(TokenKind::CloseSequence, length);
                return;
            }
            Some(Frame { kind: FrameKind::Bracket(open), .. }) if *open == matching && length == 1 => {
                self.frames.pop();
            }
            Some(frame) => {
                let open = frame.open;
                self.flaw(Flaw::Mismatched { open, close: self.at });
            }
            None => self.flaw(Flaw::Stray { close: self.at }),
        }
        self.push(TokenKind::Close, length);
    }

    /// Whether a heredoc begins here; it is one token.
    fn heredoc(&mut self) -> bool {
        let rest = self.rest();
        let head = rest.lines().next().unwrap_or_default();
        let marker = head[2..].strip_prefix('-').unwrap_or(&head[2..]);
        let is_marker = marker.starts_with(is_name_start) && marker.chars().all(is_name_char);
        if !is_marker {
            return false;
        }
        let mut length = head.len();
        for line in rest[head.len()..].split_inclusive('\n') {
            if line.trim() == marker && length > head.len() {
                length += line.trim_end().len();
                self.push(TokenKind::Heredoc, length);
                return true;
            }
            length += line.len();
        }
        self.flaw(Flaw::UnclosedHeredoc { open: self.at });
        self.push(TokenKind::Heredoc, rest.len());
        true
    }
}

fn is_name_start(char: char) -> bool {
    char.is_alphabetic() || char == '_'
}

fn is_name_char(char: char) -> bool {
    char.is_alphanumeric() || char == '_' || char == '-'
}

fn number_length(rest: &str) -> usize {
    let digits =
        |from: usize| rest[from..].find(|char: char| !char.is_ascii_digit()).map_or(rest.len(), |at| from + at);
    let mut length = digits(0);
    if rest[length..].starts_with('.') && rest[length + 1..].starts_with(|char: char| char.is_ascii_digit()) {
        length = digits(length + 1);
    }
    if rest[length..].starts_with(['e', 'E']) {
        let sign = usize::from(rest[length + 1..].starts_with(['+', '-']));
        let exponent = digits(length + 1 + sign);
        if exponent > length + 1 + sign {
            length = exponent;
        }
    }
    length
}
