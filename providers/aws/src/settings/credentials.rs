//! Who calls: an access key, a profile or the SDK's usual chain, and the roles that are taken on from there.

use std::path::PathBuf;

use aws_config::SdkConfig;
use aws_config::ecs::EcsCredentialsProvider;
use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::sts::AssumeRoleProvider;
use aws_config::web_identity_token::WebIdentityTokenCredentialsProvider;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};

use super::{Role, Settings, Token, WebIdentity};

/// The credentials of all calls. `base` knows the network and the profile; `sts` is how STS is called.
pub(super) async fn provider(
    settings: &Settings,
    base: &SdkConfig,
    sts: &SdkConfig,
) -> Option<SharedCredentialsProvider> {
    let mut provider = match (&settings.access_key, &settings.web_identity) {
        (_, Some(identity)) => {
            let client = aws_sdk_sts::Client::new(sts);
            Some(SharedCredentialsProvider::new(ByToken { client, identity: identity.clone() }))
        }
        (Some(key), None) => {
            let key = Credentials::new(&key.id, &key.secret, key.token.clone(), None, "provider block");
            Some(SharedCredentialsProvider::new(key))
        }
        (None, None) if settings.without_metadata => Some(SharedCredentialsProvider::new(without_metadata(settings))),
        (None, None) => base.credentials_provider(),
    };
    for role in &settings.roles {
        provider = match provider {
            Some(before) => Some(SharedCredentialsProvider::new(taken_on(role, sts, before).await)),
            None => None,
        };
    }
    provider
}

/// The SDK's usual chain without its last link, which asks an address that answers on EC2 alone.
fn without_metadata(settings: &Settings) -> CredentialsProviderChain {
    let mut profile = ProfileFileCredentialsProvider::builder().profile_files(super::connect::profile_files(settings));
    if let Some(name) = &settings.profile {
        profile = profile.profile_name(name);
    }
    CredentialsProviderChain::first_try("environment", EnvironmentVariableCredentialsProvider::new())
        .or_else("profile", profile.build())
        .or_else("web identity", WebIdentityTokenCredentialsProvider::builder().build())
        .or_else("container", EcsCredentialsProvider::builder().build())
}

async fn taken_on(role: &Role, sts: &SdkConfig, before: SharedCredentialsProvider) -> AssumeRoleProvider {
    let mut builder = AssumeRoleProvider::builder(&role.arn).configure(sts).session_name(&role.session_name);
    if let Some(id) = &role.external_id {
        builder = builder.external_id(id);
    }
    if let Some(policy) = &role.policy {
        builder = builder.policy(policy);
    }
    if !role.policy_arns.is_empty() {
        builder = builder.policy_arns(role.policy_arns.clone());
    }
    if let Some(duration) = role.duration {
        builder = builder.session_length(duration);
    }
    if !role.tags.is_empty() {
        builder = builder.tags(role.tags.clone());
    }
    builder.build_from_provider(before).await
}

/// Sessions that are given for the token of an OpenID Connect provider.
#[derive(Debug)]
struct ByToken {
    client: aws_sdk_sts::Client,
    identity: WebIdentity,
}

impl ProvideCredentials for ByToken {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.session())
    }
}

impl ByToken {
    async fn session(&self) -> Result<Credentials, CredentialsError> {
        let WebIdentity { role, token } = &self.identity;
        let token = match token {
            Token::Text(text) => text.clone(),
            Token::File(path) => read(path)?,
        };
        let arns = role.policy_arns.iter();
        let arns: Vec<_> =
            arns.map(|arn| aws_sdk_sts::types::PolicyDescriptorType::builder().arn(arn).build()).collect();
        let seconds = role.duration.and_then(|duration| i32::try_from(duration.as_secs()).ok());
        let answer = self
            .client
            .assume_role_with_web_identity()
            .role_arn(&role.arn)
            .role_session_name(&role.session_name)
            .web_identity_token(token)
            .set_policy(role.policy.clone())
            .set_policy_arns((!arns.is_empty()).then_some(arns))
            .set_duration_seconds(seconds)
            .send()
            .await
            .map_err(CredentialsError::provider_error)?;
        let given = answer.credentials.ok_or_else(|| CredentialsError::unhandled("STS gave no credentials"))?;
        let until = given.expiration.try_into().map_err(CredentialsError::unhandled)?;
        let (id, secret) = (given.access_key_id, given.secret_access_key);
        Ok(Credentials::new(id, secret, Some(given.session_token), Some(until), "web identity"))
    }
}

fn read(path: &PathBuf) -> Result<String, CredentialsError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(text.trim().to_owned()),
        Err(error) => Err(CredentialsError::invalid_configuration(format!("`{}`: {error}", path.display()))),
    }
}
