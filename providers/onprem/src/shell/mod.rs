//! Programs for hosts: words quoted, contents enclosed, and all of it run only once it has wholly arrived.

pub(crate) mod answer;

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// What every program starts with.
const PRELUDE: &str = include_str!("prelude.sh");

/// How a change is carried out.
pub(crate) const CHANGE: &str = include_str!("change.sh");

/// How an object beyond its host is marked; needs [`CHANGE`].
pub(crate) const MARK: &str = include_str!("mark.sh");

/// How bytes come behind a program.
pub(crate) const DELIVER: &str = include_str!("deliver.sh");

/// What a program says that waits for bytes behind it.
pub(crate) const SEND: &str = "formwork-send";

/// The last line of an answer: without it the program did not come to its end.
pub(crate) const END: &str = "bye";

/// Bytes of a line of enclosed contents.
const LINE: usize = 76;

/// The commands that carry a change out. They run with `set -e`, without standard input.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Script(String);

impl Script {
    /// Runs a command with these words.
    pub(crate) fn run(&mut self, words: &[&str]) {
        let _ = writeln!(self.0, "{}", command(words));
    }

    /// Runs a command with these words, and these bytes as its standard input: no one else on the host sees them.
    pub(crate) fn feed(&mut self, words: &[&str], input: &[u8]) {
        let _ = writeln!(self.0, "base64 -d <<'formwork_end' | {}", command(words));
        let encoded = STANDARD.encode(input);
        for line in encoded.as_bytes().chunks(LINE) {
            self.0.push_str(&String::from_utf8_lossy(line));
            self.0.push('\n');
        }
        self.0.push_str("formwork_end\n");
    }

    /// Lines of sh as they are.
    pub(crate) fn lines(&mut self, lines: &str) {
        self.0.push_str(lines);
        self.0.push('\n');
    }
}

/// A whole program. `parts` are functions, `main` are the commands that begin when all of it is there: a connection
/// that breaks off in the middle has done nothing. Its last line ends the shell, so that nothing behind it is read as a
/// part of it.
pub(crate) fn program(ledger: &str, parts: &[&str], main: &str) -> Vec<u8> {
    let mut text = format!("ledger={}\n{PRELUDE}", quoted(ledger));
    for part in parts {
        text.push_str(part);
        text.push('\n');
    }
    let _ = write!(text, "formwork_main() {{\n{main}\nprintf '{END}\\n'\n}}\nformwork_main; exit\n");
    text.into_bytes()
}

/// A function of sh that holds a script.
pub(crate) fn function(name: &str, script: &Script) -> String {
    format!("{name}() {{\n:\n{}}}\n", script.0)
}

/// A command of these words.
pub(crate) fn command(words: &[&str]) -> String {
    words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
}

/// One word of sh, whatever is in it.
pub(crate) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:,@".contains(c);
    if !word.is_empty() && word.chars().all(plain) { word.into() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::process::{Command, Stdio};

    use super::*;

    fn run(program: &[u8]) -> Vec<u8> {
        let mut child = Command::new("sh")
            .arg("-s")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(program).unwrap();
        child.wait_with_output().unwrap().stdout
    }

    #[test]
    fn what_has_not_wholly_arrived_does_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let made = folder.path().join("it's made");
        let mut script = Script::default();
        script.run(&["touch", &made.display().to_string()]);
        script.feed(&["cat"], b"some\ncontent");
        let whole = program("", &[&function("change", &script)], "change");
        let tail = whole.len() - 400;
        for end in (0..tail).step_by(997).chain(tail..whole.len() - "formwork_main; exit\n".len()) {
            run(&whole[..end]);
            assert!(!made.exists(), "the first {end} of {} bytes did something", whole.len());
        }
        assert_eq!(run(&whole), b"some\ncontentbye\n");
        assert!(made.exists());
    }

    #[test]
    fn answers_come_back_as_they_were() {
        let main =
            "ask 0 '' put one 'a = b'; ask 1 '' put two \"$(printf 'x\\ny')\"; ask 2 '' gone; ask 3 '' problem why";
        let text = String::from_utf8(run(&program("", &[], main))).unwrap();
        let answers = answer::parse(text.as_bytes()).unwrap();
        assert_eq!(answers["0"].text("one").as_deref(), Some("a = b"));
        assert_eq!(answers["1"].text("two").as_deref(), Some("x\ny"));
        assert!(answers["2"].absent);
        assert_eq!(answers["3"].problem.as_deref(), Some("why"));
        assert_eq!(answer::parse(text.trim_end().trim_end_matches("bye").as_bytes()), None);
    }
}
