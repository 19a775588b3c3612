//! Looks at reality: reading, data sources, import.

use formwork_contract::provider::{Imported, Private, ReadOutcome, ReadRequest};
use formwork_contract::{Diagnostic, Diagnostics, Value};
use futures_util::stream::{self, StreamExt};

use super::CAPABILITIES;
use super::configured::ConfiguredPlugin;
use super::envelope::{self, Own};
use super::imprecision::as_before;
use super::offer::{Kind, Shape};
use crate::convert::diagnostic;
use crate::convert::value::to_wire;
use crate::proto::{ImportResourceStateRequest, ImportedResource, ReadDataSourceRequest, ReadResourceRequest};
use crate::wire::Protocol;
use crate::wire::method::{IMPORT, READ, READ_DATA};

impl ConfiguredPlugin {
    /// One answer a request, in the same order; as many calls at once as the provider takes.
    pub(super) async fn read_all(&self, requests: &[ReadRequest]) -> Vec<Result<ReadOutcome, Diagnostics>> {
        let calls: Vec<_> = requests.iter().map(|request| self.read_one(request)).collect();
        stream::iter(calls).buffered(self.concurrency).collect().await
    }

    async fn read_one(&self, request: &ReadRequest) -> Result<ReadOutcome, Diagnostics> {
        // The semaphore is never closed; without a permit there would only be more calls at once.
        let _permit = self.reads.acquire().await.ok();
        let shape = self.resource(&request.type_name)?;
        let read = self.look(&request.type_name, &shape, &request.value, &request.private).await;
        read.map_err(|diagnostics| diagnostics.into_iter().map(|one| one.address(&request.address)).collect())
    }

    /// What stands where `value` stood.
    pub(super) async fn look(
        &self,
        type_name: &str,
        shape: &Shape<'_>,
        value: &Value,
        private: &Private,
    ) -> Result<ReadOutcome, Diagnostics> {
        let own = envelope::open(private, self.version());
        let request = ReadResourceRequest {
            type_name: type_name.to_owned(),
            current_state: Some(to_wire(value, &shape.ty)),
            private: own.private,
            provider_meta: self.offer.meta.clone(),
            client_capabilities: Some(CAPABILITIES),
            current_identity: own.identity.clone(),
        };
        let answer = self.call(&READ, request, self.session.timeouts.read).await?;
        diagnostic::from_wire(answer.diagnostics).into_result(())?;
        if answer.deferred.is_some() {
            // It cannot look yet: what is known so far stays.
            return Ok(ReadOutcome::Present { value: value.clone(), private: private.clone() });
        }
        let found = self.value("ReadResource", "the new state", answer.new_state.as_ref(), shape)?;
        if found.is_null() {
            return Ok(ReadOutcome::Absent);
        }
        if !found.is_wholly_known() {
            return Err(self.wrong("ReadResource", "the new state has parts that are not known").into());
        }
        let found = match self.session.protocol() {
            Protocol::V5 => as_before(&found, value),
            Protocol::V6 => found,
        };
        let own = Own { private: answer.private, identity: answer.new_identity.or(own.identity) };
        Ok(ReadOutcome::Present { value: found, private: envelope::seal(own, self.version()) })
    }

    pub(super) async fn data(&self, type_name: &str, config: &Value) -> Result<Value, Diagnostics> {
        let shape = self.offer.shape(Kind::Data, type_name, self.who())?;
        let config = to_wire(config, &shape.ty);
        let request = ReadDataSourceRequest {
            type_name: type_name.to_owned(),
            config: Some(config),
            provider_meta: self.offer.meta.clone(),
            client_capabilities: Some(CAPABILITIES),
        };
        let answer = self.call(&READ_DATA, request, self.session.timeouts.read).await?;
        diagnostic::from_wire(answer.diagnostics).into_result(())?;
        if answer.deferred.is_some() {
            return Err(Diagnostic::error(format!("{} cannot read `{type_name}` yet", self.who()))
                .detail("It waits for something that this run has still to make, such as a part of its own settings.")
                .hint("apply that first, with `--target`")
                .into());
        }
        let value = self.value("ReadDataSource", "the state", answer.state.as_ref(), &shape)?;
        if value.is_null() {
            return Err(self.wrong("ReadDataSource", "it holds no state").into());
        }
        if !value.is_wholly_known() {
            return Err(self.wrong("ReadDataSource", "the state has parts that are not known").into());
        }
        Ok(value)
    }

    /// Takes over an object, and reads it: what an import tells may be little more than its id.
    pub(super) async fn imported(&self, type_name: &str, id: &str) -> Result<Imported, Diagnostics> {
        let shape = self.resource(type_name)?;
        let request = ImportResourceStateRequest {
            type_name: type_name.to_owned(),
            id: id.to_owned(),
            client_capabilities: Some(CAPABILITIES),
            identity: None,
        };
        let answer = self.call(&IMPORT, request, self.session.timeouts.read).await?;
        diagnostic::from_wire(answer.diagnostics).into_result(())?;
        if answer.deferred.is_some() {
            return Err(Diagnostic::error(format!("{} cannot import `{type_name}` yet", self.who()))
                .hint("apply what its settings depend on first, with `--target`")
                .into());
        }
        let imported = self.only_one(answer.imported_resources, type_name, id)?;
        let value = self.value("ImportResourceState", "the imported state", imported.state.as_ref(), &shape)?;
        if value.is_null() {
            return Err(self.no_such_object(type_name, id));
        }
        let own = Own { private: imported.private, identity: imported.identity };
        match self.look(type_name, &shape, &value, &envelope::seal(own, self.version())).await? {
            ReadOutcome::Present { value, private } => Ok(Imported { value, private }),
            ReadOutcome::Absent => Err(self.no_such_object(type_name, id)),
        }
    }

    /// The object of the type that was asked for. Some providers give others along with it, which are left to
    /// be imported by themselves.
    fn only_one(
        &self,
        resources: Vec<ImportedResource>,
        type_name: &str,
        id: &str,
    ) -> Result<ImportedResource, Diagnostics> {
        let (mut wanted, others): (Vec<_>, Vec<_>) =
            resources.into_iter().partition(|resource| resource.type_name == type_name);
        for other in &others {
            tracing::warn!(
                target: "provider",
                provider = &*self.who().name,
                "the import of `{id}` also gave a `{}`, which is not taken over", other.type_name
            );
        }
        match (wanted.pop(), wanted.len()) {
            (Some(one), 0) => Ok(one),
            (None, _) => Err(self.no_such_object(type_name, id)),
            (Some(_), more) => {
                Err(Diagnostic::error(format!("`{id}` names {} objects of type `{type_name}`", more + 1))
                    .detail(format!("{} gave all of them for one id.", self.who()))
                    .hint("import each by an id of its own")
                    .into())
            }
        }
    }

    fn no_such_object(&self, type_name: &str, id: &str) -> Diagnostics {
        Diagnostic::error(format!("there is no `{type_name}` with the id `{id}`"))
            .detail(format!("{} found none to import.", self.who()))
            .hint("check the id, in the form that the provider's documentation gives for this type")
            .into()
    }
}
