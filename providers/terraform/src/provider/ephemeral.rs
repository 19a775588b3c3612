//! Ephemeral resources: opened for a run, renewed while it goes on, closed at its end.

use std::time::SystemTime;

use formwork_contract::provider::{Ephemeral, Private, Renewed};
use formwork_contract::{Diagnostic, Diagnostics, Value};
use prost::bytes::Bytes;
use prost_types::Timestamp;

use super::CAPABILITIES;
use super::configured::ConfiguredPlugin;
use super::offer::Kind;
use crate::convert::diagnostic;
use crate::convert::value::to_wire;
use crate::proto::{CloseEphemeralResourceRequest, OpenEphemeralResourceRequest, RenewEphemeralResourceRequest};
use crate::wire::method::{CLOSE_EPHEMERAL, OPEN_EPHEMERAL, RENEW_EPHEMERAL};

const OPEN: &str = "OpenEphemeralResource";

impl ConfiguredPlugin {
    pub(super) async fn opened(&self, type_name: &str, config: &Value) -> Result<Ephemeral, Diagnostics> {
        let shape = self.offer.shape(Kind::Ephemeral, type_name, self.who())?;
        let config = to_wire(config, &shape.ty);
        let request = OpenEphemeralResourceRequest {
            type_name: type_name.to_owned(),
            config: Some(config),
            client_capabilities: Some(CAPABILITIES),
        };
        let answer = self.call(&OPEN_EPHEMERAL, request, self.session.timeouts.read).await?;
        diagnostic::from_wire(answer.diagnostics).into_result(())?;
        if answer.deferred.is_some() {
            return Err(Diagnostic::error(format!("{} cannot open `{type_name}` yet", self.who()))
                .hint("apply what its settings depend on first, with `--target`")
                .into());
        }
        let value = self.value(OPEN, "the result", answer.result.as_ref(), &shape)?;
        if value.is_null() || !value.is_wholly_known() {
            return Err(self.wrong(OPEN, "the result is not wholly known").into());
        }
        Ok(Ephemeral { value, private: private(answer.private), renew_at: time(answer.renew_at) })
    }

    pub(super) async fn renewed(&self, type_name: &str, own: Private) -> Result<Renewed, Diagnostics> {
        let request = RenewEphemeralResourceRequest { type_name: type_name.to_owned(), private: bytes(&own) };
        let answer = self.call(&RENEW_EPHEMERAL, request, self.session.timeouts.read).await?;
        diagnostic::from_wire(answer.diagnostics).into_result(())?;
        Ok(Renewed { private: private(answer.private), renew_at: time(answer.renew_at) })
    }

    pub(super) async fn closed(&self, type_name: &str, own: Private) -> Result<(), Diagnostics> {
        let request = CloseEphemeralResourceRequest { type_name: type_name.to_owned(), private: bytes(&own) };
        let answer = self.call(&CLOSE_EPHEMERAL, request, self.session.timeouts.read).await?;
        diagnostic::from_wire(answer.diagnostics).into_result(())?;
        Ok(())
    }
}

fn private(bytes: Option<Bytes>) -> Private {
    Private(bytes.unwrap_or_default().as_ref().into())
}

fn bytes(private: &Private) -> Option<Bytes> {
    (!private.0.is_empty()).then(|| Bytes::copy_from_slice(&private.0))
}

/// A time that makes no sense is none.
fn time(timestamp: Option<Timestamp>) -> Option<SystemTime> {
    timestamp.and_then(|timestamp| timestamp.try_into().ok())
}
