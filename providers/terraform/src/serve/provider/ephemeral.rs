//! Ephemeral resources: opened, kept open, closed.

use std::sync::Arc;

use formwork_contract::provider::Private;
use prost::bytes::Bytes;

use super::resource::known;
use super::{Outcome, Served, private_from_wire, private_to_wire};
use crate::proto::*;

impl Served {
    pub(super) async fn open_ephemeral(
        self: Arc<Self>,
        request: OpenEphemeralResourceRequest,
    ) -> Outcome<OpenEphemeralResourceResponse> {
        let kind = self.ephemeral(&request.type_name).await?;
        let configured = self.configured()?;
        let _turn = configured.turn().await;
        let config = kind.decode(request.config.as_ref(), "config")?;
        let opened = configured.provider.open_ephemeral(&request.type_name, &config).await;
        let opened = opened.map_err(|problems| kind.placed(problems))?;
        Ok(OpenEphemeralResourceResponse {
            diagnostics: Vec::new(),
            renew_at: opened.renew_at.map(Into::into),
            result: Some(known(kind, &opened.value)?),
            private: Some(private_to_wire(&opened.private)),
            deferred: None,
        })
    }

    pub(super) async fn renew_ephemeral(
        self: Arc<Self>,
        request: RenewEphemeralResourceRequest,
    ) -> Outcome<RenewEphemeralResourceResponse> {
        let configured = self.configured()?;
        let _turn = configured.turn().await;
        let renewed = configured.provider.renew_ephemeral(&request.type_name, private(request.private)).await?;
        Ok(RenewEphemeralResourceResponse {
            diagnostics: Vec::new(),
            renew_at: renewed.renew_at.map(Into::into),
            private: Some(private_to_wire(&renewed.private)),
        })
    }

    pub(super) async fn close_ephemeral(
        self: Arc<Self>,
        request: CloseEphemeralResourceRequest,
    ) -> Outcome<CloseEphemeralResourceResponse> {
        let configured = self.configured()?;
        let _turn = configured.turn().await;
        configured.provider.close_ephemeral(&request.type_name, private(request.private)).await?;
        Ok(CloseEphemeralResourceResponse::default())
    }
}

fn private(bytes: Option<Bytes>) -> Private {
    private_from_wire(&bytes.unwrap_or_default())
}
