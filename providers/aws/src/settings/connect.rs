//! From settings to clients of AWS: network, region, credentials, endpoints.

use std::time::Duration;

use aws_config::environment::EnvironmentVariableRegionProvider;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::ProfileFileRegionProvider;
use aws_config::{AppName, BehaviorVersion, SdkConfig};
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use formwork_contract::{Diagnostic, Path};

use super::{Settings, credentials};
use crate::region::Region;

/// How long it may take until a connection stands, and until an answer begins.
const CONNECT: Duration = Duration::from_secs(10);
const ANSWER: Duration = Duration::from_secs(60);

/// What clients of services are made of.
#[derive(Debug)]
pub(crate) struct Connection {
    pub config: SdkConfig,
    pub region: Region,
}

/// # Errors
/// No region, a bundle of certificates that cannot be read, a proxy that is no address.
pub(crate) async fn connect(settings: &Settings) -> Result<Connection, Box<Diagnostic>> {
    let http = http_client(settings)?;
    let region = region(settings).await?;
    let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT).read_timeout(ANSWER).build();
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .region(aws_config::Region::new(region.name.to_string()))
        .http_client(http)
        .timeout_config(timeouts)
        // Calls for credentials do no harm when they are made again; others are retried by `client`.
        .retry_config(RetryConfig::standard())
        .profile_files(profile_files(settings));
    if let Ok(name) = AppName::new("formwork") {
        loader = loader.app_name(name);
    }
    if let Some(name) = &settings.profile {
        loader = loader.profile_name(name);
    }
    if settings.use_fips {
        loader = loader.use_fips(true);
    }
    if settings.use_dual_stack {
        loader = loader.use_dual_stack(true);
    }
    if settings.access_key.is_some() || settings.web_identity.is_some() {
        loader = loader.no_credentials();
    }
    let base = loader.load().await;
    let mut sts = base.to_builder();
    sts.set_endpoint_url(settings.endpoints.get("sts").cloned().or_else(|| base.endpoint_url().map(str::to_owned)));
    if let Some(other) = &settings.sts_region {
        sts.set_region(aws_config::Region::new(other.clone()));
    }
    let credentials = credentials::provider(settings, &base, &sts.build()).await;
    let mut config = base.into_builder().retry_config(RetryConfig::disabled());
    config.set_credentials_provider(credentials);
    Ok(Connection { config: config.build(), region })
}

async fn region(settings: &Settings) -> Result<Region, Box<Diagnostic>> {
    if let Some(name) = &settings.region {
        return Ok(Region::new(name));
    }
    let mut profile = ProfileFileRegionProvider::builder().profile_files(profile_files(settings));
    if let Some(name) = &settings.profile {
        profile = profile.profile_name(name);
    }
    let chain = RegionProviderChain::first_try(EnvironmentVariableRegionProvider::new()).or_else(profile.build());
    chain.region().await.map(|region| Region::new(region.as_ref())).ok_or_else(|| {
        Box::new(
            Diagnostic::error("no region is given for the provider `aws`")
                .detail("Neither its `region`, nor `AWS_REGION`, nor a profile names one.")
                .hint("write `region = \"ca-central-1\"` in its block")
                .path(Path::attribute("region")),
        )
    })
}

pub(super) fn profile_files(settings: &Settings) -> EnvConfigFiles {
    let mut builder = EnvConfigFiles::builder();
    let kinds = [
        (EnvConfigFileKind::Config, &settings.config_files),
        (EnvConfigFileKind::Credentials, &settings.credentials_files),
    ];
    for (kind, files) in kinds {
        builder = match kind {
            EnvConfigFileKind::Config => builder.include_default_config_file(files.is_empty()),
            _ => builder.include_default_credentials_file(files.is_empty()),
        };
        for file in files {
            builder = builder.with_file(kind, file);
        }
    }
    builder.build()
}

fn http_client(settings: &Settings) -> Result<SharedHttpClient, Box<Diagnostic>> {
    let proxy = proxy(settings)?;
    let tls = tls(settings)?;
    let client = Builder::new().build_with_connector_fn(move |http, components| {
        let mut builder = Connector::builder().proxy_config(proxy.clone());
        builder.set_connector_settings(http.cloned());
        builder.set_sleep_impl(components.and_then(|components| components.sleep_impl()));
        builder.tls_provider(Provider::Rustls(CryptoMode::Ring)).tls_context(tls.clone()).build()
    });
    Ok(client)
}

fn proxy(settings: &Settings) -> Result<ProxyConfig, Box<Diagnostic>> {
    let (name, made) = match (&settings.https_proxy, &settings.http_proxy) {
        (Some(url), _) => ("https_proxy", ProxyConfig::https(url.as_str())),
        (None, Some(url)) => ("http_proxy", ProxyConfig::all(url.as_str())),
        (None, None) => return Ok(ProxyConfig::from_env()),
    };
    let proxy = made.map_err(|error| {
        let problem = Diagnostic::error(format!("`{name}` is not the address of a proxy")).detail(format!("{error}."));
        problem.hint("write it as `http://proxy.example:3128`").path(Path::attribute(name))
    })?;
    Ok(match &settings.no_proxy {
        Some(hosts) => proxy.no_proxy(hosts),
        None => proxy,
    })
}

fn tls(settings: &Settings) -> Result<TlsContext, Box<Diagnostic>> {
    let refused = |why: String| {
        let problem = Diagnostic::error("the certificates of `custom_ca_bundle` cannot be used").detail(why);
        Box::new(problem.hint("give the path of a PEM file").path(Path::attribute("custom_ca_bundle")))
    };
    let trust = match &settings.ca_bundle {
        None => TrustStore::default(),
        Some(path) => {
            let pem = std::fs::read(path).map_err(|error| refused(format!("`{}`: {error}.", path.display())))?;
            if !pem.windows(b"BEGIN CERTIFICATE".len()).any(|part| part == b"BEGIN CERTIFICATE") {
                return Err(refused(format!("`{}` holds no certificate.", path.display())));
            }
            TrustStore::empty().with_pem_certificate(pem)
        }
    };
    TlsContext::builder().with_trust_store(trust).build().map_err(|error| refused(format!("{error}.")))
}
