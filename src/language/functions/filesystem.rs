//! Files of the blueprint. Everything read goes through [`Files`](crate::blueprint::files::Files), so
//! that a plan carries it along; paths are relative to the blueprint's root.

use std::io;
use std::path::Path;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use formwork_contract::{Type, Value};

use super::signature::{Answer, Arguments, Fault, Function, Kind, Parameter, parameter, strings};

const PATH: Parameter = parameter("path", Kind::String);

pub(super) const TABLE: &[Function] = &[
    Function::new("file", &[PATH], Kind::String, |given| Ok(Value::string(text(given, 0)?))),
    Function::new("filebase64", &[PATH], Kind::String, |given| Ok(Value::string(STANDARD.encode(read(given, 0)?)))),
    Function::new("fileexists", &[PATH], Kind::Bool, fileexists),
    Function::new("fileset", &[PATH, parameter("pattern", Kind::String)], Kind::Set(&Kind::String), fileset),
    Function::new("abspath", &[PATH], Kind::String, abspath),
    Function::new("basename", &[PATH], Kind::String, |given| {
        let path = given.text(0).trim_end_matches('/');
        Ok(Value::from(match (path.rsplit('/').next().unwrap_or_default(), given.text(0)) {
            ("", "") => ".",
            ("", _) => "/",
            (name, _) => name,
        }))
    }),
    Function::new("dirname", &[PATH], Kind::String, |given| Ok(Value::string(dirname(given.text(0))))),
    Function::new("pathexpand", &[PATH], Kind::String, pathexpand),
];

/// The bytes of the file that an argument names.
pub(super) fn read(given: &Arguments<'_>, at: usize) -> Result<Arc<[u8]>, Fault> {
    let path = expanded(given, at)?;
    given.context.files.read(&path).map_err(|error| unreadable(at, &path, &error))
}

/// The text of the file that an argument names.
pub(super) fn text(given: &Arguments<'_>, at: usize) -> Result<String, Fault> {
    String::from_utf8(read(given, at)?.to_vec())
        .map_err(|_| Fault::at(at, "the file is not UTF-8 text; `filebase64` reads other files"))
}

fn unreadable(at: usize, path: &str, error: &io::Error) -> Fault {
    match error.kind() {
        io::ErrorKind::NotFound => Fault::quoting(at, format!("there is no file `{path}`"))
            .hint("paths start at the root module; for a file beside this one write `\"${path.module}/NAME\"`"),
        io::ErrorKind::IsADirectory => Fault::quoting(at, format!("`{path}` is a folder, not a file")),
        _ => Fault::quoting(at, format!("the file `{path}` cannot be read: {error}")),
    }
}

fn expanded(given: &Arguments<'_>, at: usize) -> Result<String, Fault> {
    let path = given.text(at);
    match path.strip_prefix('~') {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => match &given.context.home {
            Some(home) => Ok(format!("{home}{rest}")),
            None => Err(Fault::at(at, "the home folder is not known")),
        },
        Some(_) => Err(Fault::at(at, "the home folder of another user cannot be expanded")),
        None => Ok(path.to_owned()),
    }
}

fn pathexpand(given: &Arguments<'_>) -> Answer {
    Ok(Value::string(expanded(given, 0)?))
}

fn fileexists(given: &Arguments<'_>) -> Answer {
    let path = expanded(given, 0)?;
    match given.context.files.read(&path) {
        Ok(_) => Ok(Value::Bool(true)),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Ok(Value::Bool(false))
        }
        Err(error) => Err(unreadable(0, &path, &error)),
    }
}

fn dirname(path: &str) -> String {
    match path.rfind('/') {
        None => ".".into(),
        Some(0) => "/".into(),
        Some(end) => crate::blueprint::files::normalize(&path[..end]),
    }
}

/// What is asked of the disk once and then kept with the files that were read, so that the same is
/// answered from a plan's snapshot.
fn remembered(
    given: &Arguments<'_>,
    name: &str,
    ask: impl FnOnce(&Path) -> Result<String, Fault>,
) -> Result<String, Fault> {
    let files = &given.context.files;
    if let Ok(bytes) = files.read(name) {
        return Ok(String::from_utf8_lossy(&bytes).into_owned());
    }
    let Some(root) = files.root() else {
        return Err(Fault::call("this was not asked when the plan was made, so the plan holds no answer"));
    };
    let answer = ask(root)?;
    files.add(name, answer.as_bytes());
    Ok(answer)
}

fn abspath(given: &Arguments<'_>) -> Answer {
    let path = given.text(0);
    if path.starts_with('/') {
        return Ok(Value::string(crate::blueprint::files::normalize(path)));
    }
    let root = remembered(given, "<formwork>/root", |root| {
        let root =
            std::path::absolute(root).map_err(|error| Fault::call(format!("the folder has no path: {error}")))?;
        Ok(root.to_string_lossy().into_owned())
    })?;
    Ok(Value::string(crate::blueprint::files::normalize(&format!("{root}/{path}"))))
}

/// The files below a folder that a pattern matches, relative to the folder.
fn fileset(given: &Arguments<'_>) -> Answer {
    let (folder, pattern) = (expanded(given, 0)?, given.text(1));
    let pattern = Pattern::parse(pattern)?;
    let name = format!("<formwork>/fileset/{}?{}", folder.replace('/', "|"), given.text(1).replace('/', "|"));
    let found = remembered(given, &name, |root| {
        let mut found = Vec::new();
        walk(&root.join(&folder), "", &pattern, &mut found)
            .map_err(|error| Fault::quoting(0, format!("the folder `{folder}` cannot be read: {error}")))?;
        found.sort_unstable();
        Ok(found.join("\n"))
    })?;
    let names = found.lines().map(String::from);
    Ok(Value::set(Type::String, strings(names).elements().unwrap_or_default().to_vec()))
}

fn walk(folder: &Path, prefix: &str, pattern: &Pattern, found: &mut Vec<String>) -> io::Result<()> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        // A link to a folder is not followed: it may lead in a circle.
        if entry.file_type()?.is_dir() {
            if pattern.may_match_below(&name) {
                walk(&entry.path(), &format!("{name}/"), pattern, found)?;
            }
        } else if entry.path().is_file() && pattern.matches(&name) {
            found.push(name);
        }
    }
    Ok(())
}

/// A glob: `*`, `?`, `[a-z]` and `{a,b}` within a name, `**` for any number of folders.
struct Pattern {
    regex: regex::Regex,
    /// How deep a match can lie; `None` where `**` makes it any depth.
    depth: Option<usize>,
}

impl Pattern {
    fn parse(glob: &str) -> Result<Self, Fault> {
        let mut text = String::from("^");
        let mut alternatives = 0usize;
        let mut rest = glob;
        while let Some(char) = rest.chars().next() {
            let mut taken = char.len_utf8();
            match char {
                '*' if rest.starts_with("**/") => {
                    taken = 3;
                    text.push_str("(?:.*/)?");
                }
                '*' if rest.starts_with("**") => {
                    taken = 2;
                    text.push_str(".*");
                }
                '*' => text.push_str("[^/]*"),
                '?' => text.push_str("[^/]"),
                '[' => {
                    let end = rest.find(']').ok_or_else(|| Fault::at(1, "`[` has no closing `]`"))?;
                    text.push_str(&rest[..=end].replacen("[!", "[^", 1).replace('\\', "\\\\"));
                    taken = end + 1;
                }
                '{' => {
                    alternatives += 1;
                    text.push_str("(?:");
                }
                '}' if alternatives > 0 => {
                    alternatives -= 1;
                    text.push(')');
                }
                ',' if alternatives > 0 => text.push('|'),
                '\\' => {
                    let escaped = rest[1..].chars().next();
                    taken += escaped.map_or(0, char::len_utf8);
                    text.push_str(&regex::escape(&escaped.unwrap_or('\\').to_string()));
                }
                other => text.push_str(&regex::escape(&other.to_string())),
            }
            rest = &rest[taken..];
        }
        text.push('$');
        let regex = regex::Regex::new(&text).map_err(|_| Fault::at(1, "this is not a pattern of file names"))?;
        let depth = if glob.contains("**") { None } else { Some(glob.matches('/').count()) };
        Ok(Self { regex, depth })
    }

    fn matches(&self, name: &str) -> bool {
        self.regex.is_match(name)
    }

    fn may_match_below(&self, folder: &str) -> bool {
        self.depth.is_none_or(|depth| folder.matches('/').count() < depth)
    }
}
