//! Looks for secrets in files: in clear, in every usual encoding, and in what is compressed.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Path, PathBuf};

use aho_corasick::AhoCorasick;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// The most that one compressed member is inflated to, in bytes.
const MOST: u64 = 64 << 20;

/// Looks for a set of secrets.
pub(crate) struct Scanner {
    finder: AhoCorasick,
    /// By pattern: whose it is, and in which form.
    forms: Vec<(String, &'static str)>,
}

impl Scanner {
    /// For secrets by their names.
    pub(crate) fn new<'a>(secrets: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let (mut patterns, mut forms) = (Vec::new(), Vec::new());
        for (name, secret) in secrets {
            for (form, text) in encodings(secret) {
                patterns.push(text);
                forms.push((name.to_owned(), form));
            }
        }
        Self { finder: AhoCorasick::new(patterns).expect("the patterns are few"), forms }
    }

    /// What is found in bytes: the name of each secret and its form.
    pub(crate) fn in_bytes(&self, bytes: &[u8]) -> BTreeSet<String> {
        let mut found = self.plainly(bytes);
        for inflated in inflated(bytes) {
            found.extend(self.plainly(&inflated).into_iter().map(|what| format!("{what}, compressed")));
        }
        found
    }

    /// What is found in all files below a folder, each with its file. `spared` are left out.
    pub(crate) fn below(&self, folder: &Path, spared: &dyn Fn(&Path) -> bool) -> Vec<String> {
        let mut found = Vec::new();
        for file in files_below(folder).into_iter().filter(|file| !spared(file)) {
            let Ok(bytes) = std::fs::read(&file) else { continue };
            found.extend(self.in_bytes(&bytes).into_iter().map(|what| format!("{}: {what}", file.display())));
        }
        found
    }

    fn plainly(&self, bytes: &[u8]) -> BTreeSet<String> {
        let found = self.finder.find_overlapping_iter(bytes).map(|found| &self.forms[found.pattern().as_usize()]);
        found.map(|(name, form)| format!("{name} ({form})")).collect()
    }
}

/// All files below a folder; sockets and such are left out.
pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => files.extend(files_below(&path)),
            Ok(kind) if kind.is_file() => files.push(path),
            _ => {}
        }
    }
    files.sort();
    files
}

/// A secret in every form that programs write texts in.
pub(crate) fn encodings(secret: &str) -> Vec<(&'static str, String)> {
    let inner = |quoted: String| quoted[1..quoted.len() - 1].to_owned();
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let percent = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    let mut all = vec![
        ("in clear", secret.to_owned()),
        ("in JSON", inner(serde_json::Value::from(secret).to_string())),
        ("escaped", inner(format!("{secret:?}"))),
        ("hex", hex.to_uppercase()),
        ("hex", hex),
        ("percent-encoded", secret.bytes().map(percent).collect()),
    ];
    for (before, skipped) in [(0, 0), (1, 2), (2, 3)] {
        let bytes = [&[0; 2][..before], secret.as_bytes()].concat();
        let whole = bytes.len() * 8 / 6;
        let encoded = STANDARD_NO_PAD.encode(&bytes)[skipped..whole].to_owned();
        all.push(("base64url", encoded.replace('+', "-").replace('/', "_")));
        all.push(("base64", encoded));
    }
    let lines = secret.lines().filter(|line| line.len() >= 24 && line.len() < secret.len());
    all.extend(lines.map(|line| ("a line", line.to_owned())));
    all
}

/// What begins anywhere as a gzip or zlib member does, and inflates.
fn inflated(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut members = Vec::new();
    for (at, pair) in bytes.windows(2).enumerate() {
        let rest = &bytes[at..];
        let mut out = Vec::new();
        // What is cut off or damaged may still tell something before.
        if pair == [0x1f, 0x8b] {
            flate2::read::GzDecoder::new(rest).take(MOST).read_to_end(&mut out).ok();
        } else if pair[0] == 0x78 && u16::from_be_bytes([pair[0], pair[1]]) % 31 == 0 {
            flate2::read::ZlibDecoder::new(rest).take(MOST).read_to_end(&mut out).ok();
        }
        if !out.is_empty() {
            members.push(out);
        }
    }
    members
}

#[test]
fn a_secret_is_found_in_every_form() {
    use std::io::Write;
    let secret = "pl\"anted\n~?>wörd";
    let scanner = Scanner::new([("it", secret)]);
    let url = |text: String| text.replace('+', "-").replace('/', "_");
    let base64 = |before: &str| STANDARD_NO_PAD.encode(format!("{before}{secret}after"));
    let hex: String = secret.bytes().map(|byte| format!("{byte:02X}")).collect();
    let mut forms = vec![secret.to_owned(), serde_json::json!({"a": secret}).to_string(), format!("{secret:?}"), hex];
    forms.extend(["", "1", "12"].into_iter().flat_map(|before| [base64(before), url(base64(before))]));
    for form in &forms {
        assert!(!scanner.in_bytes(format!("before {form} after").as_bytes()).is_empty(), "{form}");
        let mut gzip = flate2::write::GzEncoder::new(b"before".to_vec(), flate2::Compression::best());
        let mut zlib = flate2::write::ZlibEncoder::new(b"before".to_vec(), flate2::Compression::fast());
        gzip.write_all(form.as_bytes()).expect("compressed");
        zlib.write_all(form.as_bytes()).expect("compressed");
        for packed in [gzip.finish().expect("compressed"), zlib.finish().expect("compressed")] {
            assert!(scanner.in_bytes(&packed).iter().all(|found| found.ends_with("compressed")));
            assert!(!scanner.in_bytes(&packed).is_empty(), "{form}");
        }
    }
    assert!(scanner.in_bytes(b"nothing of the kind").is_empty());
}
