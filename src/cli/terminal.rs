//! Where text goes, what that place can show, and what the environment says.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use super::render::style::Paint;

/// What the process was started with. Read once; nothing else looks at the environment.
#[derive(Clone, Debug, Default)]
pub(super) struct Environment(BTreeMap<String, String>);

impl Environment {
    /// Variables whose names or values are not Unicode are left out.
    pub(super) fn of_process() -> Self {
        let text = |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
        Self(std::env::vars_os().filter_map(text).collect())
    }

    /// These variables and no others.
    #[cfg(test)]
    pub(super) fn of(variables: &[(&str, &str)]) -> Self {
        Self(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    /// A variable that is set to something.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Variables whose names start with `prefix`: the rest of each name, and the value.
    pub(super) fn starting_with<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.0.iter().filter_map(move |(name, value)| Some((name.strip_prefix(prefix)?, value.as_str())))
    }
}

/// Standard output and standard error, and how each is to be written to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terminal {
    pub out: Paint,
    pub err: Paint,
    /// Somebody sits in front of it and can answer.
    pub interactive: bool,
    /// Standard output is a terminal: what is written there stays on a screen.
    pub shown: bool,
    /// Standard error is a terminal that lines can be redrawn on.
    pub redraws: bool,
}

impl Terminal {
    pub(super) fn detect(environment: &Environment, no_color: bool) -> Self {
        let dumb = environment.get("TERM") == Some("dumb");
        let no_color = no_color || dumb || environment.get("NO_COLOR").is_some();
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(|name| environment.get(name));
        let speaks_unicode = locale.is_some_and(|locale| locale.to_lowercase().replace('-', "").contains("utf8"));
        let columns = environment.get("COLUMNS").and_then(|columns| columns.parse().ok());
        let paint = |is_terminal: bool, width: Option<usize>| Paint {
            colour: is_terminal && !no_color,
            unicode: is_terminal && speaks_unicode,
            width: columns.or(width).unwrap_or(Paint::PLAIN.width),
        };
        let (out, err) = (io::stdout().is_terminal(), io::stderr().is_terminal());
        Self {
            out: paint(out, columns_of(io::stdout())),
            err: paint(err, columns_of(io::stderr())),
            interactive: out && io::stdin().is_terminal(),
            shown: out,
            redraws: err && !dumb,
        }
    }

    /// Writes to standard output. A reader that has gone away (`| head`) is not an error, and does not
    /// stop the work.
    ///
    /// # Errors
    /// The file or device that standard output is does not take it.
    pub(super) fn print(self, text: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            other => other,
        }
    }

    /// Writes to standard error. That it cannot be written to has nowhere to be told.
    pub(super) fn tell(self, text: &str) {
        let _ = io::stderr().lock().write_all(text.as_bytes());
    }

    /// Asks a question and waits for a line; `None` at the end of input.
    ///
    /// # Errors
    /// As from standard input and output.
    pub(super) fn ask(self, question: &str) -> io::Result<Option<String>> {
        self.print(question)?;
        self.read_line()
    }

    /// Asks for a line that the terminal does not show while it is typed; `None` at the end of input.
    ///
    /// # Errors
    /// Standard input is no terminal, or as from [`Terminal::ask`].
    pub(super) fn ask_hidden(self, question: &str) -> io::Result<Option<String>> {
        use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
        let shown = tcgetattr(io::stdin())?;
        let mut hidden = shown.clone();
        hidden.local_modes.remove(LocalModes::ECHO);
        // Before the question: what is typed in answer to it is neither shown nor thrown away.
        tcsetattr(io::stdin(), OptionalActions::Flush, &hidden)?;
        self.tell(question);
        let line = self.read_line();
        tcsetattr(io::stdin(), OptionalActions::Flush, &shown)?;
        self.tell("\n");
        line
    }

    /// The next line of standard input, without its end; `None` at the end of input.
    ///
    /// # Errors
    /// As from standard input; a line that is not UTF-8 is one.
    pub(super) fn read_line(self) -> io::Result<Option<String>> {
        let mut line = String::new();
        let read = io::stdin().lock().read_line(&mut line)?;
        Ok((read > 0).then(|| line.trim_end_matches(['\n', '\r']).to_owned()))
    }
}

fn columns_of(stream: impl std::os::fd::AsFd) -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(stream).ok()?;
    Some(usize::from(size.ws_col)).filter(|columns| *columns > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> Environment {
        Environment(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn an_empty_variable_is_not_set() {
        let environment = environment(&[("A", ""), ("B", "x")]);
        assert_eq!((environment.get("A"), environment.get("B")), (None, Some("x")));
    }

    #[test]
    fn variables_are_found_by_prefix() {
        let environment = environment(&[("TF_VAR_a", "1"), ("TF_VAR_", "2"), ("OTHER", "3")]);
        let found: Vec<_> = environment.starting_with("TF_VAR_").collect();
        assert_eq!(found, [("", "2"), ("a", "1")]);
    }
}
