//! `onprem_file`: a file, its content, its owner and its mode.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use formwork_contract::{Attribute, Block, Marks, Type, Value};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::delivery::{Cargo, digest};
use crate::resource::{Attributes, Description, Problems, Resource, mode, text};
use crate::shell::Script;
use crate::shell::answer::Answer;

pub(crate) struct File;

/// The attributes that can hold the content: one of them does, or an artifact is the content.
const FORMS: [&str; 3] = ["content", "content_base64", SECRET];

/// The id of an artifact that is the content.
const ARTIFACT: &str = "artifact";

/// The one that is never shown.
const SECRET: &str = "sensitive_content";

/// A file that changed and is larger than this, in bytes, shows its digest and not its content.
const SHOWN: &str = "4194304";

const SHELL: &str = r#"
onprem_file_read() {
  [ -f "$1" ] && ! [ -L "$1" ] || {
    if [ -e "$1" ] || [ -L "$1" ]; then
      [ -z "$brief" ] || put kind other
      [ -n "$brief" ] || gone
    else gone; fi
    return
  }
  [ -z "$brief" ] || { put kind file; return; }
  file_path=$1 file_known=$2 file_shown=$3
  set -- $(stat -c '%a %U %G %s' -- "$file_path")
  put mode "$1"; put owner "$2"; put group "$3"; put size "$4"
  file_sum=$(sha256sum < "$file_path") || { problem "\`$file_path\` cannot be read"; return; }
  file_sum=${file_sum%% *}
  put sha256 "$file_sum"
  if [ "$file_sum" != "$file_known" ] && [ "$4" -le "$file_shown" ]; then put_stream content < "$file_path"; fi
}
# DIGEST PATH MODE OWNER GROUP: what was brought here becomes the file.
onprem_file_place_delivered() {
  file_from=$(delivered_at "$1")
  [ -f "$file_from" ] || fail "the artifact was not brought here"
  place "$2" "$3" "$4" "$5" "$(wc -c < "$file_from")" < "$file_from"
  rm -f -- "$file_from"
}
"#;

impl Resource for File {
    fn describe(&self) -> Description {
        let block = Block::new([
            (
                "path",
                Attribute::required(Type::String).forces_replacement().describe("Its path; the folder must be there."),
            ),
            ("content", Attribute::optional(Type::String).describe("Its content, a text.")),
            (
                "content_base64",
                Attribute::optional(Type::String).describe("Its content in base64, for what is no text."),
            ),
            (
                "sensitive_content",
                Attribute::optional(Type::String).sensitive().describe("Its content, a text that is never shown."),
            ),
            (
                "artifact",
                Attribute::optional(Type::String)
                    .describe("The id of an artifact of the kind `file` that is its content, of any size."),
            ),
            ("mode", Attribute::defaulted(Type::String).describe("Its mode in four octal digits; `0644` by default.")),
            ("owner", Attribute::defaulted(Type::String).describe("Its owner; whoever makes it by default.")),
            ("group", Attribute::defaulted(Type::String).describe("Its group; that of whoever makes it by default.")),
            (
                "sha256",
                Attribute::computed(Type::String)
                    .describe("The SHA-256 of its content, in hexadecimal digits; null for one that is sensitive."),
            ),
            (
                "size",
                Attribute::computed(Type::Number).describe("Its size in bytes; null where the content is sensitive."),
            ),
        ]);
        Description {
            defaults: vec![("mode", "0644".into())],
            recomputed: &["sha256", "size"],
            ..Description::new("onprem_file", "A file on a host. It is written whole or not at all.", block)
        }
    }

    fn shell(&self) -> &'static str {
        SHELL
    }

    fn check(&self, config: &Value, problems: &mut Problems) {
        problems.path(config, "path");
        problems.mode(config, "mode");
        let forms = FORMS.into_iter().chain([ARTIFACT]);
        let given: Vec<&str> =
            forms.filter(|form| config.get(form).is_some_and(|content| !content.is_null())).collect();
        if given.is_empty() {
            let hint = "set `content`, `content_base64`, `sensitive_content` or `artifact`; an empty file has `content = \"\"`";
            problems.at("content", "the file has no content", hint);
        }
        if given.len() > 1 {
            let hint = "keep the one that fits: `content` for text, `content_base64` for bytes, \
                        `sensitive_content` for secrets, `artifact` for what is in the store";
            problems.at(given[1], format!("`{}` and `{}` cannot both be set", given[0], given[1]), hint);
        }
        if let Some(encoded) = config.get_str("content_base64")
            && STANDARD.decode(encoded).is_err()
        {
            problems.at("content_base64", "`content_base64` is not base64", "`filebase64(\"...\")` reads a file so");
        }
    }

    fn key(&self, planned: &Value) -> Option<String> {
        planned.get_str("path").map(str::to_owned)
    }

    fn arguments(&self, known: &Value) -> Vec<String> {
        vec![digest_of(known).unwrap_or_default(), SHOWN.into()]
    }

    fn cargo(&self, live: &Value, planned: &Value) -> Option<Cargo> {
        let id = planned.get_str(ARTIFACT)?.to_owned();
        (digest_of(live).as_deref() != Some(digest(&id))).then_some(Cargo::File { id })
    }

    fn value(&self, key: &str, answer: &Answer, known: &Value) -> Attributes {
        let mut attributes = vec![
            ("path", Value::string(key)),
            ("mode", mode(answer)),
            ("owner", answer.string("owner")),
            ("group", answer.string("group")),
        ];
        // A digest would let a short secret be guessed.
        if form(answer, known) != SECRET {
            attributes.extend([("sha256", answer.string("sha256")), ("size", answer.number("size"))]);
        }
        let kept = answer.kept();
        let artifact = kept[ARTIFACT]
            .as_str()
            .filter(|id| known.is_null() && answer.text("sha256").as_deref() == Some(digest(id)));
        if let Some(id) = artifact {
            attributes.push((ARTIFACT, Value::string(id)));
            return attributes;
        }
        // The host leaves the content out where it is the known one.
        match answer.bytes("content") {
            Some(bytes) => attributes.extend(shown(bytes, form(answer, known))),
            None if digest_of(known) == answer.text("sha256") => {
                let forms = FORMS.into_iter().chain([ARTIFACT]);
                attributes
                    .extend(forms.map(|form| (form, known.get(form).cloned().unwrap_or(Value::Null(Type::String)))));
            }
            None => {}
        }
        attributes
    }

    fn foresee(&self, planned: Value) -> Value {
        if FORMS.iter().chain([&ARTIFACT]).any(|form| planned.get(form).is_some_and(Value::is_unknown)) {
            return planned;
        }
        if let Some(id) = planned.get_str(ARTIFACT) {
            let sha256 = Value::string(digest(id));
            return planned.with("sha256", sha256);
        }
        if planned.get(SECRET).is_some_and(|secret| !secret.is_null()) {
            return planned.with("sha256", Value::Null(Type::String)).with("size", Value::Null(Type::Number));
        }
        let bytes = content(&planned).unwrap_or_default();
        let size = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
        let marks = FORMS
            .iter()
            .filter_map(|form| planned.get(form))
            .fold(Marks::default(), |all, part| all.union(part.marks()));
        planned.with("sha256", Value::string(sha256(&bytes)).mark(marks)).with("size", Value::from(size).mark(marks))
    }

    fn kept(&self, planned: &Value) -> serde_json::Value {
        if let Some(id) = planned.get_str(ARTIFACT) {
            return json!({ "form": "content_base64", "artifact": id });
        }
        // What is sensitive is not among what may be kept: the form of what is not there.
        let form = FORMS.into_iter().find(|form| planned.get_str(form).is_some());
        json!({ "form": form.unwrap_or(SECRET) })
    }

    fn create(&self, script: &mut Script, key: &str, planned: &Value) {
        let dress = [text(planned, "mode"), text(planned, "owner"), text(planned, "group")];
        if let Some(id) = planned.get_str(ARTIFACT) {
            script.run(&[&["onprem_file_place_delivered", digest(id), key], dress.as_slice()].concat());
            return;
        }
        let bytes = content(planned).unwrap_or_default();
        let size = bytes.len().to_string();
        script.feed(&[&["place", key], dress.as_slice(), &[&size]].concat(), &bytes);
    }

    fn update(&self, script: &mut Script, key: &str, live: &Value, planned: &Value) {
        if digest_of(live).is_some() && digest_of(live) == digest_of(planned) {
            script.run(&["dress", key, text(planned, "mode"), text(planned, "owner"), text(planned, "group")]);
        } else {
            self.create(script, key, planned);
        }
    }

    fn delete(&self, script: &mut Script, key: &str, _live: &Value) {
        script.run(&["rm", "-f", "--", key]);
    }
}

/// The digest of the content that a value says, in hexadecimal digits; `None` where it says none.
fn digest_of(value: &Value) -> Option<String> {
    match value.get_str(ARTIFACT) {
        Some(id) => Some(digest(id).to_owned()),
        None => content(value).map(|bytes| sha256(&bytes)),
    }
}

/// The bytes that a value says; `None` where it says none.
fn content(value: &Value) -> Option<Vec<u8>> {
    if let Some(encoded) = value.get_str("content_base64") {
        return STANDARD.decode(encoded).ok();
    }
    let text = value.get_str("content").or_else(|| value.get_str("sensitive_content"))?;
    Some(text.as_bytes().to_vec())
}

/// The attribute that held the content before; for an object that is not known, what its mark of ownership keeps.
fn form(answer: &Answer, known: &Value) -> &'static str {
    let was = FORMS.into_iter().find(|form| known.get_str(form).is_some());
    let kept = || FORMS.into_iter().find(|form| answer.kept()["form"] == **form);
    was.or_else(kept).unwrap_or("content")
}

/// Bytes as the attribute that held them before, where they are a text or that attribute takes bytes. A secret that is
/// no text any more is not shown at all.
fn shown(bytes: &[u8], form: &'static str) -> Option<(&'static str, Value)> {
    match std::str::from_utf8(bytes) {
        // A text is kept in a normal form; one that is in another would not come back as it was.
        Ok(text) if form != "content_base64" && Value::string(text).as_str() == Some(text) => {
            Some((form, Value::string(text)))
        }
        _ if form == SECRET => None,
        _ => Some(("content_base64", Value::string(STANDARD.encode(bytes)))),
    }
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
