//! The services of AWS that the provider calls: one client each, for one account and region.

use aws_smithy_runtime_api::client::interceptors::SharedInterceptor;
use formwork_contract::Diagnostic;
use tokio::sync::OnceCell;

use crate::client::fault::Fault;
use crate::client::limiter::Limiter;
use crate::client::rehearse::Rehearsal;
use crate::client::{Pace, Service};
use crate::region::Region;
use crate::settings::Settings;
use crate::settings::connect::Connection;

pub(crate) struct Cloud {
    pub region: Region,
    pub ec2: Service<aws_sdk_ec2::Client>,
    pub sts: Service<aws_sdk_sts::Client>,
    pub iam: Service<aws_sdk_iam::Client>,
    pub kms: Service<aws_sdk_kms::Client>,
    pub logs: Service<aws_sdk_cloudwatchlogs::Client>,
    pub ecr: Service<aws_sdk_ecr::Client>,
    pub eks: Service<aws_sdk_eks::Client>,
    pub s3: Service<aws_sdk_s3::Client>,
    caller: OnceCell<Caller>,
}

/// Who calls, as STS says.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub account: String,
    pub arn: String,
    pub user_id: String,
}

/// Configures a client: the endpoint where there is one, and what a rehearsal needs.
macro_rules! service {
    ($sdk:ident, $name:literal, $connection:expr, $settings:expr, $pace:expr, $rehearses:expr) => {{
        let mut config = $sdk::config::Builder::from(&$connection.config);
        if let Some(url) = $settings.endpoints.get($name) {
            config.set_endpoint_url(Some(url.clone()));
        }
        if $rehearses {
            config.push_interceptor(SharedInterceptor::new(Rehearsal { can_check: $name == "ec2" }));
        }
        let client = $sdk::Client::from_conf(config.build());
        Service::new($name, client, $pace, $settings.retries, Limiter::new($settings.is_adaptive))
    }};
}

impl Cloud {
    /// A cloud that `rehearses` asks whether calls would go well, and changes nothing.
    pub(crate) fn new(connection: &Connection, settings: &Settings, pace: Pace, rehearses: bool) -> Self {
        let mut s3 = aws_sdk_s3::config::Builder::from(&connection.config).force_path_style(settings.s3_path_style);
        s3.set_endpoint_url(
            settings.endpoints.get("s3").cloned().or_else(|| connection.config.endpoint_url().map(str::to_owned)),
        );
        if rehearses {
            s3.push_interceptor(SharedInterceptor::new(Rehearsal { can_check: false }));
        }
        let s3 = aws_sdk_s3::Client::from_conf(s3.build());
        Self {
            region: connection.region.clone(),
            ec2: service!(aws_sdk_ec2, "ec2", connection, settings, pace, rehearses),
            sts: service!(aws_sdk_sts, "sts", connection, settings, pace, rehearses),
            iam: service!(aws_sdk_iam, "iam", connection, settings, pace, rehearses),
            kms: service!(aws_sdk_kms, "kms", connection, settings, pace, rehearses),
            logs: service!(aws_sdk_cloudwatchlogs, "logs", connection, settings, pace, rehearses),
            ecr: service!(aws_sdk_ecr, "ecr", connection, settings, pace, rehearses),
            eks: service!(aws_sdk_eks, "eks", connection, settings, pace, rehearses),
            s3: Service::new("s3", s3, pace, settings.retries, Limiter::new(settings.is_adaptive)),
            caller: OnceCell::new(),
        }
    }

    /// The account and identity of all calls. Asked for once.
    ///
    /// # Errors
    /// STS does not accept the credentials.
    pub(crate) async fn caller(&self) -> Result<&Caller, Fault> {
        let ask = || async {
            let answer = self.sts.read("GetCallerIdentity", |sts| sts.get_caller_identity().send()).await?;
            Ok(Caller {
                account: answer.account.unwrap_or_default(),
                arn: answer.arn.unwrap_or_default(),
                user_id: answer.user_id.unwrap_or_default(),
            })
        };
        self.caller.get_or_try_init(ask).await
    }

    /// Refuses an account that the settings do not allow.
    ///
    /// # Errors
    /// The account is another, or nobody can tell.
    pub(crate) async fn check_account(&self, settings: &Settings) -> Result<(), Box<Diagnostic>> {
        let (allowed, forbidden) = (&settings.allowed_accounts, &settings.forbidden_accounts);
        if allowed.is_empty() && forbidden.is_empty() {
            return Ok(());
        }
        let caller = self.caller().await.map_err(|fault| Box::new(fault.diagnostic()))?;
        let account = &caller.account;
        if forbidden.contains(account) || (!allowed.is_empty() && !allowed.contains(account)) {
            let problem = Diagnostic::error(format!("the account `{account}` is not one that may be touched"));
            let problem = problem.detail(format!("The credentials are those of `{}`.", caller.arn));
            return Err(Box::new(
                problem.hint("sign in to the account that is meant, or correct `allowed_account_ids`"),
            ));
        }
        Ok(())
    }
}
