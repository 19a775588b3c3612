//! Asks AWS beforehand whether changes would go well, where a call can be asked that.

use formwork_contract::provider::{Preflight, PreflightGrade, PreflightRequest};
use formwork_contract::{Diagnostics, Value};
use futures_util::future::join_all;

use super::World;
use crate::client::fault::{Fault, Nature};
use crate::client::rehearse::WOULD_GO_WELL;
use crate::kind::Kind;
use crate::resource::Call;

/// How many changes are asked about at once.
const AT_ONCE: usize = 10;

impl World {
    /// One answer a request, in the same order.
    pub(crate) async fn preflight(&self, requests: &[PreflightRequest]) -> Vec<Preflight> {
        let mut answers = Vec::with_capacity(requests.len());
        for some in requests.chunks(AT_ONCE) {
            let asked: Vec<_> = some.iter().map(|request| self.rehearse(request)).collect();
            answers.extend(join_all(asked).await);
        }
        answers
    }

    async fn rehearse(&self, request: &PreflightRequest) -> Preflight {
        let schema = Preflight::new(PreflightGrade::Schema);
        let Ok(kind) = self.catalog.kind(&request.type_name) else { return schema };
        if !kind.description.can_rehearse || !request.config.is_wholly_known() {
            return schema;
        }
        let mut grade = PreflightGrade::Schema;
        for verb in request.verbs() {
            match self.rehearse_one(kind, request, verb).await {
                Ok(checked) => grade = if checked { PreflightGrade::Server } else { grade },
                Err(fault) if fault.nature == Nature::Refused && !fault.action.is_empty() => {
                    let diagnostics = Diagnostics::from(fault.diagnostic().address(&request.address));
                    return Preflight { grade: PreflightGrade::Server, diagnostics };
                }
                Err(_) => return Preflight::new(PreflightGrade::Unverified),
            }
        }
        Preflight::new(grade)
    }

    /// Whether AWS said that the call would go well. False: no call would be made.
    async fn rehearse_one(&self, kind: &Kind, request: &PreflightRequest, verb: &str) -> Result<bool, Fault> {
        let live = if verb == "create" { Value::NULL } else { request.prior.deep_unmarked() };
        let planned = if verb == "delete" { Value::NULL } else { request.planned.deep_unmarked() };
        let planned = if verb == "update" { Kind::filled(&planned, &live) } else { planned };
        let tags = self.tags(kind, &request.address, &planned, "preflight");
        let call = Call { live, planned, config: request.config.deep_unmarked(), tags, token: "preflight".into() };
        let done = match verb {
            "create" => kind.resource.create(&self.rehearsing, &call).await.map(|_| ()),
            "delete" => kind.resource.delete(&self.rehearsing, &call).await,
            _ if super::change::settable(kind).any(|name| call.changes(name)) => {
                kind.resource.update(&self.rehearsing, &call).await
            }
            _ => Ok(()),
        };
        match done {
            // A rehearsed call never goes well: its good end is this refusal.
            Err(fault) if fault.is(&[WOULD_GO_WELL]) => Ok(true),
            Err(fault) if verb == "delete" && fault.is_not_found() => Ok(true),
            Err(fault) => Err(fault),
            Ok(()) => Ok(false),
        }
    }
}
