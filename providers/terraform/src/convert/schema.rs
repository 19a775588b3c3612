//! Schemas: what a provider offers.

mod read;
mod write;

use formwork_contract::{Diagnostics, ProviderSchema};

use super::diagnostic;
use crate::proto::ServerCapabilities;
use crate::proto::v6::GetProviderSchemaResponse;

pub(crate) use write::to_wire;

/// What the provider offers, and what it can do beyond the least.
///
/// # Errors
/// What the provider says is wrong, or every place where its schema makes no sense.
pub(crate) fn from_wire(
    mut response: GetProviderSchemaResponse,
) -> Result<(ProviderSchema, ServerCapabilities), Diagnostics> {
    let said = diagnostic::from_wire(std::mem::take(&mut response.diagnostics));
    if said.has_errors() {
        return Err(said);
    }
    let capabilities = response.server_capabilities.take().unwrap_or_default();
    Ok((read::provider(response)?, capabilities))
}

#[cfg(test)]
mod tests;
