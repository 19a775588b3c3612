//! Configurations: checked, and the provider's own put to use.

use std::sync::Arc;

use formwork_contract::{Diagnostic, Diagnostics, Path, Value};

use super::kind::Kind;
use super::{Outcome, Served};
use crate::convert::diagnostic;
use crate::proto::*;

impl Served {
    pub(super) async fn validate_provider(
        self: Arc<Self>,
        request: ValidateProviderConfigRequest,
    ) -> Outcome<ValidateProviderConfigResponse> {
        let kind = &self.kinds().await?.provider;
        let config = kind.decode(request.config.as_ref(), "config")?;
        let problems = kind.placed(self.provider.validate_config(&config).await);
        // Hosts of protocol 5 go on with the configuration that they get back.
        let prepared_config = request.config.filter(|_| !problems.has_errors());
        Ok(ValidateProviderConfigResponse { prepared_config, diagnostics: diagnostic::to_wire(&problems) })
    }

    pub(super) async fn validate_resource(
        self: Arc<Self>,
        request: ValidateConfigRequest,
    ) -> Outcome<ValidateConfigResponse> {
        let kind = self.resource(&request.type_name).await?;
        let config = kind.decode(request.config.as_ref(), "config")?;
        let mut problems = self.provider.validate_resource(&request.type_name, &config).await;
        if !request.client_capabilities.unwrap_or_default().write_only_attributes_allowed {
            problems.append(would_be_stored(kind, &config));
        }
        Ok(ValidateConfigResponse { diagnostics: diagnostic::to_wire(&kind.placed(problems)) })
    }

    pub(super) async fn validate_data(
        self: Arc<Self>,
        request: ValidateConfigRequest,
    ) -> Outcome<ValidateConfigResponse> {
        let kind = self.data_source(&request.type_name).await?;
        let config = kind.decode(request.config.as_ref(), "config")?;
        let problems = self.provider.validate_data(&request.type_name, &config).await;
        Ok(ValidateConfigResponse { diagnostics: diagnostic::to_wire(&kind.placed(problems)) })
    }

    pub(super) async fn validate_ephemeral(
        self: Arc<Self>,
        request: ValidateConfigRequest,
    ) -> Outcome<ValidateConfigResponse> {
        let kind = self.ephemeral(&request.type_name).await?;
        let config = kind.decode(request.config.as_ref(), "config")?;
        let problems = self.provider.validate_ephemeral(&request.type_name, &config).await;
        Ok(ValidateConfigResponse { diagnostics: diagnostic::to_wire(&kind.placed(problems)) })
    }

    pub(super) async fn configure(
        self: Arc<Self>,
        request: ConfigureProviderRequest,
    ) -> Outcome<ConfigureProviderResponse> {
        let kind = &self.kinds().await?.provider;
        let config = kind.decode(request.config.as_ref(), "config")?;
        let configured = self.provider.configure(config, self.context.clone()).await;
        self.configure_as(configured.map_err(|problems| kind.placed(problems))?);
        Ok(ConfigureProviderResponse::default())
    }
}

/// A host that does not know write-only attributes would write them into its state.
fn would_be_stored(kind: &Kind, config: &Value) -> Diagnostics {
    let mut problems = Diagnostics::new();
    kind.block.each_attribute(config, &Path::root(), &mut |path, attribute, value| {
        if attribute.write_only && !value.is_null() {
            problems.push(
                Diagnostic::error(format!("`{path}` is write-only, which this host does not know"))
                    .detail("It would be stored in its state.")
                    .hint("use Terraform 1.11 or later, or leave the attribute out")
                    .path(path.clone()),
            );
        }
    });
    problems
}
