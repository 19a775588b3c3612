//! How text is made to look: colours where the terminal has them, and nothing lost where it has not.

use std::fmt;

use anstyle::{AnsiColor, Effects, Style};

/// What the place that text goes to can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paint {
    pub colour: bool,
    pub unicode: bool,
    /// In columns.
    pub width: usize,
}

/// What a piece of text is, from which its look follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Plain,
    Heading,
    Faint,
    Add,
    Change,
    Remove,
    Replace,
    Read,
    Warning,
    Error,
}

impl Paint {
    /// For a file, a pipe or a test.
    pub const PLAIN: Self = Self { colour: false, unicode: false, width: 100 };

    /// The text as it looks in this role.
    pub fn show<T: fmt::Display>(self, role: Role, text: T) -> Painted<T> {
        Painted { style: if self.colour { role.style() } else { Style::new() }, text }
    }
}

impl Role {
    fn style(self) -> Style {
        let colour = |colour: AnsiColor| colour.on_default();
        match self {
            Self::Plain => Style::new(),
            Self::Heading => Style::new().effects(Effects::BOLD),
            Self::Faint => Style::new().effects(Effects::DIMMED),
            Self::Add => colour(AnsiColor::Green),
            Self::Change | Self::Warning => colour(AnsiColor::Yellow),
            Self::Remove | Self::Error => colour(AnsiColor::Red),
            Self::Replace => colour(AnsiColor::Magenta),
            Self::Read => colour(AnsiColor::Cyan),
        }
    }
}

/// Text with its look around it.
#[derive(Debug)]
pub struct Painted<T> {
    style: Style,
    text: T,
}

impl<T: fmt::Display> fmt::Display for Painted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{}", self.style.render(), self.text, self.style.render_reset())
    }
}

/// `1 resource`, `2 resources`.
pub fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// The text with control characters made visible: a value must not be able to steer the terminal.
pub fn harmless(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '\n' | '\t' => shown.push(char),
            char if is_steering(char) => shown.extend(char.escape_unicode()),
            char => shown.push(char),
        }
    }
    shown
}

/// Control characters, and those that turn the direction of text around.
pub fn is_steering(char: char) -> bool {
    char.is_control() || matches!(char, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
}
