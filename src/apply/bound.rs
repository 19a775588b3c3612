//! Sees that the record still says what a plan was made from, and tells by whom it was changed where it does not.

use formwork_contract::{Address, Diagnostic, Diagnostics};

use super::journal::failed;
use crate::plan::bound::{RowKey, Unbound, output_digests};
use crate::plan::model::Header;
use crate::record::model::{RevisionKind, RevisionSummary};
use crate::record::{Record, RecordError};

/// How many differences are told one by one.
const TOLD: usize = 10;

const HINT: &str = "make a new plan: `formwork plan`";

/// Whether a plan is for this record at all.
///
/// # Errors
/// It was made for another one.
pub(super) fn check_record(header: &Header, record: &Record) -> Result<(), Diagnostics> {
    if *header.record_id == *record.id() {
        return Ok(());
    }
    Err(Diagnostic::error("the plan belongs to another record")
        .detail(format!("It was made for record {}, and this one is {}.", header.record_id, record.id()))
        .hint("make a new plan here")
        .into())
}

/// Whether everything that a plan touches, reads or builds on is recorded as it was. Under the lease of the run it
/// stays so. What changed elsewhere is not in the way.
///
/// # Errors
/// What changed, object by object, and which revision did it; and what an interrupted run was working on.
pub fn check(header: &Header, record: &Record) -> Result<(), Diagnostics> {
    check_but(header, record, None)
}

/// The same for a plan that a revision began to carry out: what it did itself is not in its way.
///
/// # Errors
/// As for [`check`].
pub(super) fn check_since(header: &Header, record: &Record, own: u64) -> Result<(), Diagnostics> {
    check_but(header, record, Some(own))
}

fn check_but(header: &Header, record: &Record, own: Option<u64>) -> Result<(), Diagnostics> {
    check_record(header, record)?;
    let mut found = differences(header, record, own).map_err(|error| failed(&error))?;
    found.append(undecided(header, record, own).map_err(|error| failed(&error))?);
    if found.has_errors() { Err(found) } else { Ok(()) }
}

/// Objects of the plan of which nobody knows what an interrupted run made of them.
fn undecided(header: &Header, record: &Record, own: Option<u64>) -> Result<Diagnostics, RecordError> {
    let open = record.open_intents()?.into_iter();
    let open = open.filter(|intent| Some(intent.revision) != own && header.bound.concerns(&intent.address));
    Ok(open
        .take(TOLD)
        .map(|intent| {
            Diagnostic::error(format!("nobody knows what became of `{}`", intent.address))
                .detail(format!("Revision {} was interrupted while it worked on it.", intent.revision))
                .address(&intent.address)
                .hint("`formwork plan` looks at it first, and makes a plan that takes it into account")
        })
        .collect())
}

fn differences(header: &Header, record: &Record, own: Option<u64>) -> Result<Diagnostics, RecordError> {
    if record.serial()? == header.record_serial {
        return Ok(Diagnostics::new());
    }
    let mut unbound = Vec::new();
    for difference in header.bound.unbound(&record.rows()?, &output_digests(&record.outputs()?)) {
        if own.is_none() || last_change(record, &difference)? != own {
            unbound.push(difference);
        }
    }
    if unbound.is_empty() {
        return Ok(Diagnostics::new());
    }
    let history = record.history()?;
    let mut told = Diagnostics::new();
    for difference in unbound.iter().take(TOLD) {
        told.push(told_difference(header, record, &history, difference)?);
    }
    if unbound.len() > TOLD {
        let more = unbound.len() - TOLD;
        told.push(
            Diagnostic::error(format!("{more} more of what the plan is bound to changed in the record")).hint(HINT),
        );
    }
    Ok(told)
}

/// The revision that made the difference.
fn last_change(record: &Record, difference: &Unbound) -> Result<Option<u64>, RecordError> {
    match difference {
        Unbound::Output(name) => record.last_change_of_output(name),
        Unbound::Changed((address, deposed)) | Unbound::Gone((address, deposed)) | Unbound::New((address, deposed)) => {
            Ok(record.last_change(address, deposed.as_deref())?.map(|last| last.revision))
        }
    }
}

fn told_difference(
    header: &Header,
    record: &Record,
    history: &[RevisionSummary],
    difference: &Unbound,
) -> Result<Diagnostic, RecordError> {
    let (key, summary, did) = match difference {
        Unbound::Changed(key) => {
            (key, format!("the record of `{}` changed since the plan was made", named(key)), "changed it")
        }
        Unbound::Gone(key) => (key, format!("`{}` left the record since the plan was made", named(key)), "took it out"),
        Unbound::New(key) => {
            (key, format!("`{}` came into the record since the plan was made", named(key)), "wrote it")
        }
        Unbound::Output(name) => {
            let by = revision(history, last_change(record, difference)?, "changed it");
            return Ok(Diagnostic::error(format!("the output `{name}` changed since the plan was made"))
                .detail(format!("The plan changes it as well.{by}"))
                .hint(HINT));
        }
    };
    let address: &Address = &key.0;
    let by = revision(history, last_change(record, difference)?, did);
    Ok(Diagnostic::error(summary).detail(format!("{}{by}", header.bound.role_of(address))).address(address).hint(HINT))
}

fn named((address, deposed): &RowKey) -> String {
    match deposed {
        Some(key) => format!("{address} (deposed object {key})"),
        None => address.to_string(),
    }
}

/// Which revision did something, and whose it is; begins with a space.
fn revision(history: &[RevisionSummary], number: Option<u64>, did: &str) -> String {
    let Some(revision) = history.iter().find(|summary| Some(summary.number) == number) else { return String::new() };
    let kind = match revision.kind {
        RevisionKind::Apply => "an apply",
        RevisionKind::Destroy => "a destroy",
        RevisionKind::Rollback => "a rollback",
        RevisionKind::Edit => "an edit of the record",
        RevisionKind::Adopt => "an adoption",
        RevisionKind::Recover => "a recovery",
    };
    let begun = jiff::Timestamp::from_millisecond(revision.started_ms).map(|begun| format!(", begun {begun}"));
    format!(" Revision {} {did}: {kind} by `{}`{}.", revision.number, revision.actor, begun.unwrap_or_default())
}
