//! Lets a client ask whether a call would go well: EC2 checks it and does nothing.
//!
//! Each call gets `DryRun=true` on its way out, whatever asks for it, so that no resource type can forget it. A
//! client of another service, which has no such check, sends nothing at all.

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeTransmitInterceptorContextMut;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::ConfigBag;

/// EC2's answer to a call that would go well.
pub(crate) const WOULD_GO_WELL: &str = "DryRunOperation";

/// Calls that change nothing are made as they are.
const READS: [&str; 2] = ["Action=Describe", "Action=Get"];

#[derive(Clone, Copy, Debug)]
pub(crate) struct Rehearsal {
    /// The service is EC2.
    pub can_check: bool,
}

impl Intercept for Rehearsal {
    fn name(&self) -> &'static str {
        "formwork rehearsal"
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if !self.can_check {
            return Err("a service that cannot check calls is not called in a rehearsal".into());
        }
        let request = context.request_mut();
        let body = request.body().bytes().ok_or("the call has no body to be marked as a rehearsal")?;
        if READS.iter().any(|read| body.starts_with(read.as_bytes())) {
            return Ok(());
        }
        let marked = [body, b"&DryRun=true"].concat();
        request.headers_mut().insert("content-length", marked.len().to_string());
        *request.body_mut() = SdkBody::from(marked);
        Ok(())
    }
}
