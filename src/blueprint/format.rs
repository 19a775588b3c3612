//! Canonical formatting: indentation by nesting, aligned `=` and trailing comments, even spaces.

use std::sync::Arc;

use formwork_contract::Diagnostics;
use hcl_edit::parser;

use super::lex::{Token, TokenKind, lex};
use super::load::Failure;
use super::mistake;
use super::sources::Sources;

/// The text as everybody writes it. Comments, blank lines and heredocs stay as they are. Formatting what
/// was formatted changes nothing.
///
/// # Errors
/// The text is not valid: what is wrong, with its place in a source of the name given.
pub fn format(text: &str, name: &str) -> Result<String, Failure> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if let Err(error) = parser::parse_body(text) {
        let mut sources = Sources::default();
        let file = sources.add(name, text);
        let diagnostics = Diagnostics::from(mistake::explain(text, file, &error));
        return Err(Failure { sources: Arc::new(sources), diagnostics });
    }
    let (tokens, _) = lex(text);
    let mut lines = lines(text, &tokens);
    lines.iter_mut().for_each(unwrap_interpolation);
    space(&mut lines);
    indent(&mut lines);
    align(&mut lines);
    Ok(written(&lines))
}

/// A token and the blanks before it.
#[derive(Clone, Copy)]
struct Piece<'a> {
    token: Token<'a>,
    blanks: usize,
}

/// One line in its three columns. A heredoc belongs to the line on which it begins.
#[derive(Default)]
struct Line<'a> {
    lead: Vec<Piece<'a>>,
    /// From the `=` on, where the whole value stands on this line.
    assign: Vec<Piece<'a>>,
    comment: Option<Piece<'a>>,
    /// It stands directly in a block or in the file, not in an expression.
    in_body: bool,
}

impl<'a> Line<'a> {
    fn pieces(&self) -> impl Iterator<Item = &Piece<'a>> {
        self.lead.iter().chain(&self.assign).chain(&self.comment)
    }
}

fn lines<'a>(text: &'a str, tokens: &[Token<'a>]) -> Vec<Line<'a>> {
    let mut lines = vec![Line { in_body: true, ..Line::default() }];
    let mut bodies = Vec::new();
    let mut previous = TokenKind::Newline;
    for token in with_tall_strings_whole(text, tokens) {
        match nesting(&token) {
            1 => bodies.push(token.text == "{" && matches!(previous, TokenKind::Name | TokenKind::CloseQuote)),
            -1 => drop(bodies.pop()),
            _ => {}
        }
        previous = token.kind;
        if token.kind == TokenKind::Newline {
            lines.push(Line { in_body: bodies.last().is_none_or(|is_body| *is_body), ..Line::default() });
        } else if let Some(line) = lines.last_mut() {
            line.lead.push(Piece { token, blanks: 0 });
        }
    }
    for line in &mut lines {
        if line.lead.len() > 1 {
            line.comment = line.lead.pop_if(|last| last.token.kind == TokenKind::Comment);
        }
        let equals = line.lead.iter().skip(1).position(|piece| piece.token.is("=")).map(|at| at + 1);
        if let Some(equals) = equals
            && line.lead[equals..].iter().map(|piece| nesting(&piece.token)).sum::<isize>() == 0
        {
            line.assign = line.lead.split_off(equals);
        }
    }
    lines
}

/// `name = "${value}"` becomes `name = value`.
fn unwrap_interpolation(line: &mut Line<'_>) {
    let kinds: Vec<TokenKind> = line.assign.iter().map(|piece| piece.token.kind).collect();
    let [_, TokenKind::OpenQuote, TokenKind::OpenSequence, inner @ .., TokenKind::CloseSequence, TokenKind::CloseQuote] =
        &kinds[..]
    else {
        return;
    };
    let is_nested = inner.iter().any(|kind| matches!(kind, TokenKind::OpenQuote | TokenKind::CloseSequence));
    if !is_nested && line.in_body && line.assign[2].token.text == "${" {
        line.assign.truncate(line.assign.len() - 2);
        line.assign.drain(1..3);
    }
}

/// A string whose interpolation spans lines becomes one token, which stays as it is.
fn with_tall_strings_whole<'a>(text: &'a str, tokens: &[Token<'a>]) -> Vec<Token<'a>> {
    let mut result: Vec<Token<'a>> = Vec::with_capacity(tokens.len());
    let mut position = 0;
    while let Some(token) = tokens.get(position) {
        let end = if token.kind == TokenKind::OpenQuote { string_end(tokens, position) } else { position };
        let whole = &text[token.start..tokens[end].end()];
        if end > position && whole.contains('\n') {
            result.push(Token { kind: TokenKind::Heredoc, text: whole, start: token.start });
        } else {
            result.extend(&tokens[position..=end]);
        }
        position = end + 1;
    }
    result
}

/// Where the quote that opens at a position is closed.
fn string_end(tokens: &[Token<'_>], open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token.kind {
            TokenKind::OpenQuote => depth += 1,
            TokenKind::CloseQuote if depth == 1 => return at,
            TokenKind::CloseQuote => depth -= 1,
            _ => {}
        }
    }
    open
}

fn nesting(token: &Token<'_>) -> isize {
    match token.kind {
        TokenKind::Open | TokenKind::OpenSequence => 1,
        TokenKind::Close | TokenKind::CloseSequence => -1,
        _ => 0,
    }
}

fn space(lines: &mut [Line<'_>]) {
    for line in lines {
        let tokens: Vec<Token<'_>> = line.lead.iter().chain(&line.assign).map(|piece| piece.token).collect();
        let later = line.lead.iter_mut().chain(&mut line.assign).enumerate().skip(1);
        for (at, piece) in later {
            let before = at.checked_sub(2).map(|before| &tokens[before]);
            piece.blanks = usize::from(is_spaced(before, &tokens[at - 1], &tokens[at]));
        }
        if let Some(comment) = &mut line.comment {
            comment.blanks = 1;
        }
        if let Some(equals) = line.assign.first_mut() {
            equals.blanks = 1;
        }
    }
}

/// Whether a blank stands between two tokens; `before` is the one before both.
fn is_spaced(before: Option<&Token<'_>>, left: &Token<'_>, right: &Token<'_>) -> bool {
    use TokenKind::{Close, CloseQuote, CloseSequence, Name, Number, Open, OpenQuote, OpenSequence, QuotedText};
    match (left.kind, right.kind) {
        (Name, Open) if right.text == "(" => false,
        _ if left.is(".") || right.is(".") || left.is("::") || right.is("::") => false,
        _ if right.is(",") || right.is("...") => false,
        _ if left.is(",") => true,
        (QuotedText | OpenQuote, _) | (_, QuotedText | CloseQuote) => false,
        (Name, _) if left.text == "in" && before.is_some_and(|before| before.kind == Name) => true,
        (Name | Number | Close, Open) if right.text == "[" => false,
        _ if left.is("!") => false,
        _ if left.is("-") => before.is_some_and(ends_operand),
        (Open, Close) if left.text == "{" && right.text == "}" => false,
        (Open, _) if left.text == "{" => true,
        (_, Close) if right.text == "}" => true,
        (OpenSequence, Open) if right.text == "{" => true,
        (Close, CloseSequence) if left.text == "}" => true,
        (CloseSequence, OpenSequence) => false,
        (Open | OpenSequence, _) | (_, Close | CloseSequence) => false,
        _ => true,
    }
}

/// Whether a `-` after this token subtracts.
fn ends_operand(token: &Token<'_>) -> bool {
    !matches!(token.kind, TokenKind::Open | TokenKind::OpenSequence | TokenKind::Operator)
}

/// Two blanks for each line whose brackets are still open.
fn indent(lines: &mut [Line<'_>]) {
    let mut open: Vec<isize> = Vec::new();
    for line in lines {
        let net: isize = line.pieces().map(|piece| nesting(&piece.token)).sum();
        let level = open.len();
        if net > 0 {
            open.push(net);
        }
        let mut closed = -net;
        while closed > 0 {
            match open.last_mut() {
                Some(opened) if *opened > closed => {
                    *opened -= closed;
                    closed = 0;
                }
                Some(opened) => {
                    closed -= *opened;
                    open.pop();
                }
                None => closed = 0,
            }
        }
        let level = level.min(open.len());
        if let Some(first) = line.lead.first_mut() {
            first.blanks = 2 * level;
        }
    }
}

/// Puts the `=` of neighbouring lines, then their trailing comments, below one another.
fn align(lines: &mut [Line<'_>]) {
    for chain in chains(lines, |line| !line.assign.is_empty()) {
        let lines = &mut lines[chain];
        let widest = lines.iter().map(|line| width(&line.lead)).max().unwrap_or_default();
        for line in lines {
            line.assign[0].blanks = widest - width(&line.lead) + 1;
        }
    }
    for chain in chains(lines, |line| line.comment.is_some()) {
        let lines = &mut lines[chain];
        let width = |line: &Line<'_>| width(&line.lead) + width(&line.assign);
        let widest = lines.iter().map(width).max().unwrap_or_default();
        for line in lines {
            let blanks = widest - width(line) + 1;
            if let Some(comment) = &mut line.comment {
                comment.blanks = blanks;
            }
        }
    }
}

/// The runs of neighbouring lines that have a column.
fn chains(lines: &[Line<'_>], has: impl Fn(&Line<'_>) -> bool) -> Vec<std::ops::Range<usize>> {
    let mut chains = Vec::new();
    let mut start = None;
    for (at, line) in lines.iter().enumerate() {
        if has(line) {
            start.get_or_insert(at);
        } else {
            chains.extend(start.take().map(|start| start..at));
        }
    }
    chains.extend(start.map(|start| start..lines.len()));
    chains
}

/// In characters; of a heredoc the first line counts.
fn width(pieces: &[Piece<'_>]) -> usize {
    let token = |piece: &Piece<'_>| piece.token.text.lines().next().unwrap_or_default().chars().count();
    pieces.iter().map(|piece| piece.blanks + token(piece)).sum()
}

fn written(lines: &[Line<'_>]) -> String {
    let mut text = String::new();
    for (position, line) in lines.iter().enumerate() {
        if position > 0 {
            text.push('\n');
        }
        for piece in line.pieces() {
            text.extend(std::iter::repeat_n(' ', piece.blanks));
            text.push_str(piece.token.text);
        }
    }
    text
}
