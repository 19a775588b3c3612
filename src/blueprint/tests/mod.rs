//! The blueprint stage at the level of its behaviour: text in, model or messages out.

mod expressions;
mod formatting;
mod loading;
mod mistakes;

use std::collections::BTreeMap;
use std::sync::Arc;

use formwork_contract::Diagnostics;

use super::files::Files;
use super::{Blueprint, Failure, LoadOptions, load};

fn files(files: &[(&str, &str)]) -> Arc<Files> {
    let files: BTreeMap<String, Arc<[u8]>> =
        files.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().into())).collect();
    Arc::new(Files::from_snapshot(files))
}

fn load_all(texts: &[(&str, &str)]) -> Result<(Blueprint, Diagnostics), Failure> {
    load(files(texts), &LoadOptions::default())
}

fn loaded(text: &str) -> Blueprint {
    load_all(&[("main.tf", text)]).unwrap_or_else(|failure| panic!("{failure}")).0
}

/// Every error as `summary @ file:line:column, ...`, one place a label.
fn problems(texts: &[(&str, &str)]) -> Vec<String> {
    load_all(texts).err().map(|failure| rendered(&failure)).unwrap_or_default()
}

fn rendered(failure: &Failure) -> Vec<String> {
    let place = |label: &formwork_contract::diagnostic::Label| {
        let (line, column) = failure.sources.position(label.span).expect("a label points into a source");
        let name = &failure.sources.get(label.span.file).expect("a label points into a source").name;
        format!("{name}:{line}:{column}")
    };
    failure
        .diagnostics
        .iter()
        .map(|diagnostic| {
            let places: Vec<String> = diagnostic.labels.iter().map(place).collect();
            format!("{} @ {}", diagnostic.summary, places.join(", "))
        })
        .collect()
}
