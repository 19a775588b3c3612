//! What is said on standard input before a program, so that `sudo` gets its password and nobody else does.

use formwork_contract::Diagnostic;

/// What `sudo` asks with: a second time means that the password was wrong.
const PROMPT: &str = "formwork-password:";

/// The line after which the program comes.
const BEGIN: &str = "formwork-begin";

/// What the host says when there is a shell.
const READY: &[u8] = b"formwork-ready\n";

/// One program's way into a shell with the rights that it needs.
pub(crate) struct Exchange<'a> {
    /// What the host is called in messages.
    pub host: &'a str,
    pub sudo: bool,
    pub password: Option<&'a str>,
}

/// What is known so far of the shell that was asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Entrance {
    Waiting,
    /// The program may be sent; what the host said after is output, from here on.
    Open(usize),
    WrongPassword,
}

impl Exchange<'_> {
    /// The command that is run: the same each time, as others on the host can see it.
    pub(crate) fn command(&self) -> String {
        // A password that nobody asked for must not be taken for a part of the program.
        let shell =
            format!(r#"sh -c 'echo formwork-ready; while IFS= read -r l; do [ "$l" = {BEGIN} ] && exec sh -s; done'"#);
        match (self.sudo, self.password) {
            (false, _) => format!("exec {shell}"),
            (true, None) => format!("exec sudo -n -- {shell}"),
            (true, Some(_)) => format!("exec sudo -S -p {PROMPT} -- {shell}"),
        }
    }

    /// What is sent at once.
    pub(crate) fn greeting(&self) -> Vec<u8> {
        match (self.sudo, self.password) {
            (true, Some(password)) => format!("{password}\n").into_bytes(),
            _ => format!("{BEGIN}\n").into_bytes(),
        }
    }

    /// Whether the shell has to be waited for. A wrong password would let `sudo` take more lines for passwords.
    pub(crate) fn waits(&self) -> bool {
        self.sudo && self.password.is_some()
    }

    /// What is known of the shell by what the host has said.
    pub(crate) fn entrance(&self, stdout: &[u8], stderr: &[u8]) -> Entrance {
        if let Some(at) = stdout.windows(READY.len()).position(|window| window == READY) {
            return Entrance::Open(at + READY.len());
        }
        let prompts = stderr.windows(PROMPT.len()).filter(|window| *window == PROMPT.as_bytes()).count();
        if prompts > 1 { Entrance::WrongPassword } else { Entrance::Waiting }
    }

    /// Why the shell did not open.
    pub(crate) fn closed(&self, stderr: &[u8], wrong: bool) -> Diagnostic {
        let said = String::from_utf8_lossy(stderr).replace(PROMPT, "");
        let said = said.trim();
        let host = self.host;
        if wrong || (self.waits() && said.contains("incorrect password")) {
            return Diagnostic::error(format!("`sudo` on host `{host}` refuses the password"))
                .hint("set `sudo_password` of the host, or of the provider, to the password of the user who logs in");
        }
        if self.sudo && said.contains("password is required") {
            return Diagnostic::error(format!("`sudo` on host `{host}` asks for a password"))
                .hint("set `sudo_password`, or let the user run `sudo` without one (`NOPASSWD`)");
        }
        let problem = if self.sudo {
            Diagnostic::error(format!("`sudo` on host `{host}` does not let the user in"))
                .hint("the user must be allowed to run `sh` as root, without a terminal; or set `sudo = false`")
        } else {
            Diagnostic::error(format!("the host `{host}` gives the user no shell")).hint(
                "the user must be able to run `sh`: look at its login shell and at `ForceCommand` of the host's sshd",
            )
        };
        if said.is_empty() { problem } else { problem.quote(said) }
    }

    /// What is sent before the program once the shell is waited for no more.
    pub(crate) fn opening(&self) -> Vec<u8> {
        if self.waits() { format!("{BEGIN}\n").into_bytes() } else { Vec::new() }
    }
}
