//! Asks for many objects that no list tells all of: one call each, a few at once.

use std::future::Future;

use futures_util::future::join_all;

use super::fault::Fault;

/// How many are asked for at once: services of AWS take about ten calls a second of an account.
const AT_ONCE: usize = 10;

/// What was found of each, in the same order. Those that went meanwhile are left out.
///
/// # Errors
/// The first refusal that is none of "there is no such object".
pub(crate) async fn each<I, T, F>(items: impl IntoIterator<Item = I>, ask: impl Fn(I) -> F) -> Result<Vec<T>, Fault>
where
    F: Future<Output = Result<Option<T>, Fault>>,
{
    let mut items = items.into_iter();
    let mut found = Vec::new();
    loop {
        let asked: Vec<F> = items.by_ref().take(AT_ONCE).map(&ask).collect();
        if asked.is_empty() {
            return Ok(found);
        }
        for told in join_all(asked).await {
            match told {
                Err(fault) if fault.is_not_found() => {}
                told => found.extend(told?),
            }
        }
    }
}
