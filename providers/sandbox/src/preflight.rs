//! Checks planned changes without making them: permissions, quotas, names, references, and what is in use.
//!
//! A change whose configuration is wholly known is made in a transaction that is rolled back, as long as nothing
//! in the same plan makes room for another: then the cloud itself has said that it would go well.

use std::collections::{HashMap, HashSet};

use formwork_contract::Value;
use formwork_contract::provider::{Preflight, PreflightGrade, PreflightRequest, Replacement};
use rusqlite::Connection;

use crate::catalog::Kind;
use crate::client::Client;
use crate::fault::{Code, Fault};
use crate::service::{Change, Service, id_of, in_use, name_taken, over_quota};
use crate::store::objects::{self, Name};

/// What a check of one change found.
struct Finding {
    grade: PreflightGrade,
    faults: Vec<Fault>,
}

impl Client {
    /// One answer a request, in the same order.
    pub(crate) async fn preflight(&self, requests: &[PreflightRequest]) -> Vec<Preflight> {
        let subject = requests.first().map(|request| request.address.to_string()).unwrap_or_default();
        if let Err(mut unanswered) = self.patiently("preflight", &subject).await {
            unanswered.iter_mut().for_each(|told| told.severity = formwork_contract::Severity::Warning);
            let nothing = Preflight { grade: PreflightGrade::Unverified, diagnostics: unanswered };
            return requests.iter().map(|_| nothing.clone()).collect();
        }
        match self.service.preflight(requests) {
            Ok(findings) => {
                requests.iter().zip(findings).map(|(request, finding)| self.answer(request, &finding)).collect()
            }
            Err(fault) => {
                let told = self.told("preflight", &fault);
                let nothing = Preflight { grade: PreflightGrade::Unverified, diagnostics: told.into() };
                requests.iter().map(|_| nothing.clone()).collect()
            }
        }
    }

    fn answer(&self, request: &PreflightRequest, finding: &Finding) -> Preflight {
        let verb = request.verbs().first().copied().unwrap_or("change");
        let operation = format!("{verb} {}", request.type_name);
        let told = |fault: &Fault| self.told(&operation, fault).address(&request.address);
        Preflight { grade: finding.grade, diagnostics: finding.faults.iter().map(told).collect() }
    }
}

impl Service {
    fn preflight(&self, requests: &[PreflightRequest]) -> Result<Vec<Finding>, Fault> {
        self.store.rehearse(|connection| {
            let batch = Batch::new(self, connection, requests)?;
            let mut findings = Vec::with_capacity(requests.len());
            for request in requests {
                let faults = match self.catalog.kind(&request.type_name) {
                    Some(kind) => batch.faults(kind, request)?,
                    None => vec![Fault::new(Code::InvalidParameter, "There is no such resource type.")],
                };
                findings.push(Finding { grade: PreflightGrade::Permission, faults });
            }
            batch.quotas(&mut findings)?;
            if !requests.iter().any(PreflightRequest::removes) {
                for (request, finding) in requests.iter().zip(&mut findings) {
                    self.rehearse(connection, request, finding);
                }
            }
            Ok(findings)
        })
    }

    /// Makes a change that nothing is unknown of, in a transaction that is rolled back.
    fn rehearse(&self, connection: &Connection, request: &PreflightRequest, finding: &mut Finding) {
        let Some(kind) = self.catalog.kind(&request.type_name) else { return };
        if !finding.faults.is_empty() || !request.config.is_wholly_known() {
            return;
        }
        let address = request.address.to_string();
        let (prior, config, planned) =
            (request.prior.deep_unmarked(), request.config.deep_unmarked(), request.planned.deep_unmarked());
        let attempt = format!("preflight {address}");
        let change = Change {
            kind,
            address: &address,
            attempt: &attempt,
            prior: &prior,
            config: &config,
            planned: &planned,
            half: false,
        };
        let done =
            if prior.is_null() { self.create_in(connection, &change) } else { self.update_in(connection, &change) };
        finding.grade = PreflightGrade::Server;
        finding.faults.extend(done.err());
    }
}

/// The changes of a plan, and what they mean for one another.
struct Batch<'a> {
    service: &'a Service,
    connection: &'a Connection,
    requests: &'a [PreflightRequest],
    /// Ids of objects that the plan takes away, or changes: they may stop being in the way.
    leaving: HashSet<&'a str>,
    changing: HashSet<&'a str>,
    /// The change that takes each name first, by its place.
    takers: HashMap<(&'a str, Name), usize>,
}

impl<'a> Batch<'a> {
    fn new(service: &'a Service, connection: &'a Connection, requests: &'a [PreflightRequest]) -> Result<Self, Fault> {
        let mut batch = Self {
            service,
            connection,
            requests,
            leaving: HashSet::new(),
            changing: HashSet::new(),
            takers: HashMap::new(),
        };
        for (place, request) in requests.iter().enumerate() {
            if request.removes() {
                batch.leaving.insert(id_of(&request.prior));
            } else if !request.prior.is_null() {
                batch.changing.insert(id_of(&request.prior));
            }
            if let Some(kind) = service.catalog.kind(&request.type_name)
                && let Some((_, name)) = service.name_of(kind, &request.planned)
            {
                batch.takers.entry((&request.type_name, name)).or_insert(place);
            }
        }
        Ok(batch)
    }

    /// What stands in the way of one change, apart from quotas.
    fn faults(&self, kind: &Kind, request: &PreflightRequest) -> Result<Vec<Fault>, Fault> {
        let service = self.service;
        let mut faults = Vec::new();
        for verb in request.verbs() {
            faults.extend(service.check_permission(verb, kind.description.type_name).err());
        }
        if !request.planned.is_null() {
            let live = if request.makes() { &Value::NULL } else { &request.prior };
            faults.extend(service.check_references(self.connection, kind, &request.planned, live).err());
            faults.extend(self.name_fault(kind, request)?);
        }
        if request.removes() {
            let id = id_of(&request.prior);
            let users = objects::users_of(self.connection, id)?;
            let stays = |user: &&objects::Object| {
                !self.leaving.contains(user.id.as_str()) && !self.changing.contains(user.id.as_str())
            };
            faults.extend(users.iter().find(stays).map(|user| in_use(id, user)));
        }
        Ok(faults)
    }

    /// Whether something else has the name of what is to stand, or takes it in the same plan.
    fn name_fault(&self, kind: &Kind, request: &PreflightRequest) -> Result<Option<Fault>, Fault> {
        let Some((attribute, name)) = self.service.name_of(kind, &request.planned) else { return Ok(None) };
        let own_id = id_of(&request.prior);
        if let Some(taken) = objects::by_name(self.connection, kind.description.type_name, &name)? {
            let own = taken.id == own_id && request.replace != Some(Replacement::CreateFirst);
            // Who else leaves or is renamed may do so in time.
            let freed = taken.id != own_id
                && (self.leaving.contains(taken.id.as_str()) || self.changing.contains(taken.id.as_str()));
            if !own && !freed {
                return Ok(Some(name_taken(kind, attribute, &name, &taken)));
            }
        }
        let first = self.takers.get(&(&*request.type_name, name.clone())).map(|place| &self.requests[*place]);
        Ok(first.filter(|first| first.address != request.address).map(|first| {
            let message = format!(
                "A `{}` whose `{attribute}` is `{}` is to be made for `{}` as well.",
                request.type_name, name.name, first.address
            );
            Fault::new(Code::NameTaken, message).attribute(attribute).hint("choose another")
        }))
    }

    /// Adds to the findings where there would be more objects of a type than there may be.
    fn quotas(&self, findings: &mut [Finding]) -> Result<(), Fault> {
        let mut room: HashMap<&str, usize> = HashMap::new();
        for request in self.requests {
            let type_name = &*request.type_name;
            if let Some(bound) = self.service.settings.quota.of(type_name)
                && !room.contains_key(type_name)
            {
                let goes = |other: &&PreflightRequest| {
                    *other.type_name == *type_name && other.removes() && other.replace != Some(Replacement::CreateFirst)
                };
                let leaving = self.requests.iter().filter(goes).count();
                let standing = objects::count(self.connection, type_name)?;
                room.insert(type_name, (bound + leaving).saturating_sub(standing));
            }
        }
        for (request, finding) in self.requests.iter().zip(findings) {
            let Some(left) = room.get_mut(&*request.type_name).filter(|_| request.makes()) else { continue };
            if *left == 0 {
                let bound = self.service.settings.quota.of(&request.type_name).unwrap_or_default();
                finding.faults.push(over_quota(&request.type_name, bound));
            } else if request.replace != Some(Replacement::CreateFirst) {
                *left -= 1;
            }
        }
        Ok(())
    }
}
