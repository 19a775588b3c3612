//! `aws_kms_key`: a key that never leaves KMS.
//!
//! A deleted key waits for some days before it goes, and can be had back till then; it counts as gone at once. KMS has
//! no list that tells more than ids, so each key takes four calls.

use async_trait::async_trait;
use aws_sdk_kms::types;
use formwork_contract::{Attribute, Contents, Type, Value};

use super::PAGE;
use super::tags::{self, KmsTags};
use crate::client::Action;
use crate::client::fault::Fault;
use crate::client::several::each;
use crate::cloud::Cloud;
use crate::fields::{Fields, flag, text, whole};
use crate::policy;
use crate::resource::{Call, Description, Live, Problems, Query, Resource, State};

pub(super) struct Key;

/// The principals of a policy do not show yet, or are not there.
const UNKNOWN_PRINCIPAL: &str = "MalformedPolicyDocumentException";

/// A new key does not show yet.
const HIDDEN: &str = "NotFoundException";

#[async_trait]
impl Resource for Key {
    fn describe(&self) -> Description {
        let told = |text: &str| Attribute::computed(Type::String).describe(text);
        let fixed = |ty, text: &str| Attribute::defaulted(ty).forces_replacement().describe(text);
        let attributes = [
            ("arn", told("What names the key across regions.")),
            ("key_id", told("The same as `id`.")),
            ("description", Attribute::defaulted(Type::String).describe("What the key is for.")),
            (
                "policy",
                Attribute::defaulted(Type::String).describe("Who may use the key, in JSON. The account, by default."),
            ),
            (
                "bypass_policy_lockout_safety_check",
                Attribute::defaulted(Type::Bool)
                    .describe("Takes a policy that keeps the caller from ever changing it again."),
            ),
            ("is_enabled", Attribute::defaulted(Type::Bool).describe("The key may be used. On by default.")),
            ("enable_key_rotation", Attribute::defaulted(Type::Bool).describe("KMS makes new key material by itself.")),
            (
                "rotation_period_in_days",
                Attribute::defaulted(Type::Number).describe("How often, from 90 to 2560 days. A year by default."),
            ),
            (
                "deletion_window_in_days",
                Attribute::optional(Type::Number)
                    .describe("How long a deleted key can be had back, from 7 to 30 days. 30 by default."),
            ),
            (
                "key_usage",
                fixed(
                    Type::String,
                    "`ENCRYPT_DECRYPT` (the default), `SIGN_VERIFY`, `GENERATE_VERIFY_MAC` or `KEY_AGREEMENT`.",
                ),
            ),
            (
                "customer_master_key_spec",
                fixed(Type::String, "What kind of key it is. `SYMMETRIC_DEFAULT` by default."),
            ),
            ("multi_region", fixed(Type::Bool, "It can be copied to other regions.")),
        ];
        Description {
            defaults: vec![
                ("description", "".into()),
                ("bypass_policy_lockout_safety_check", false.into()),
                ("is_enabled", true.into()),
                ("enable_key_rotation", false.into()),
                ("key_usage", "ENCRYPT_DECRYPT".into()),
                ("customer_master_key_spec", "SYMMETRIC_DEFAULT".into()),
                ("multi_region", false.into()),
            ],
            moves: &[("rotation_period_in_days", &["enable_key_rotation"])],
            kept: &["bypass_policy_lockout_safety_check", "deletion_window_in_days"],
            scans: true,
            contents: Contents::Data("key material".into()),
            import_example: "1234abcd-12ab-34cd-56ef-1234567890ab",
            ..Description::new("aws_kms_key", "A key that never leaves KMS.", attributes).tagged(&KmsTags)
        }
    }

    fn check(&self, config: &Value, problems: &mut Problems) {
        policy::check(config, "policy", problems);
        for (attribute, range) in [("deletion_window_in_days", 7..=30), ("rotation_period_in_days", 90..=2560)] {
            let days = config.get(attribute).and_then(Value::as_number);
            if let Some(days) = days.filter(|days| days.as_i64().is_none_or(|days| !range.contains(&days))) {
                let hint = format!("choose from {} to {} days", range.start(), range.end());
                problems.at(attribute, format!("`{days}` is no value of `{attribute}`"), &hint);
            }
        }
        let fields = Fields(config);
        if fields.whole("rotation_period_in_days").is_some() && fields.flag("enable_key_rotation") == Some(false) {
            let told = "`rotation_period_in_days` says how often a key is rotated that is not";
            problems.at("rotation_period_in_days", told, "set `enable_key_rotation = true`, or leave it out");
        }
    }

    fn same(&self, attribute: &str, known: &Value, live: &Value) -> bool {
        attribute == "policy" && policy::is_same(known, live)
    }

    async fn find(&self, cloud: &Cloud, query: &Query) -> Result<Vec<Live>, Fault> {
        if let Query::Ids(ids) = query {
            return each(ids.clone(), |id| async move { look(cloud, &id).await }).await;
        }
        let keys = cloud.kms.pages(
            "ListKeys",
            |kms, marker| kms.list_keys().limit(PAGE).set_marker(marker).send(),
            |page| (page.keys, page.next_marker),
        );
        let ids: Vec<String> = keys.await?.into_iter().filter_map(|key| key.key_id).collect();
        let meant = each(ids, |id| async move {
            if matches!(query, Query::Unowned) && is_of_aws(cloud, &id).await? {
                return Ok(None);
            }
            match tags::of_live(cloud, &id).await {
                // A key whose own policy keeps the caller out is somebody else's.
                Err(fault) if fault.is(&["AccessDeniedException"]) => Ok(None),
                tags => Ok(query.admits(&tags?).then_some(id)),
            }
        });
        each(meant.await?, |id| async move { look(cloud, &id).await }).await
    }

    async fn create(&self, cloud: &Cloud, call: &Call) -> Result<String, Fault> {
        let wanted = call.wanted();
        let create = Action::once("CreateKey").passing(&[UNKNOWN_PRINCIPAL]);
        let made = cloud.kms.call(create, |kms| {
            kms.create_key()
                .set_description(wanted.text("description"))
                .set_policy(wanted.text("policy"))
                .set_key_usage(wanted.word("key_usage"))
                .set_key_spec(wanted.word("customer_master_key_spec"))
                .set_multi_region(wanted.flag("multi_region"))
                .set_bypass_policy_lockout_safety_check(wanted.flag("bypass_policy_lockout_safety_check"))
                .set_tags(Some(tags::to_sdk(&call.tags)))
                .send()
        });
        Ok(made.await?.key_metadata.map(|key| key.key_id).unwrap_or_default())
    }

    async fn update(&self, cloud: &Cloud, call: &Call) -> Result<(), Fault> {
        let (id, wanted) = (call.id(), call.wanted());
        let is_enabled = wanted.flag("is_enabled").unwrap_or(true);
        // A key that is switched off takes no other change.
        if call.changes("is_enabled") && is_enabled {
            let enable = Action::repeatable("EnableKey").passing(&[HIDDEN]);
            cloud.kms.call(enable, |kms| kms.enable_key().key_id(id).send()).await?;
        }
        if call.changes("description") {
            let update = Action::repeatable("UpdateKeyDescription").passing(&[HIDDEN]);
            let description = wanted.text("description").unwrap_or_default();
            let send =
                |kms: &aws_sdk_kms::Client| kms.update_key_description().key_id(id).description(&description).send();
            cloud.kms.call(update, send).await?;
        }
        if call.changes("policy") {
            let put = Action::repeatable("PutKeyPolicy").passing(&[UNKNOWN_PRINCIPAL, HIDDEN]);
            let send = |kms: &aws_sdk_kms::Client| {
                kms.put_key_policy()
                    .key_id(id)
                    .policy_name("default")
                    .set_policy(wanted.text("policy"))
                    .set_bypass_policy_lockout_safety_check(wanted.flag("bypass_policy_lockout_safety_check"))
                    .send()
            };
            cloud.kms.call(put, send).await?;
        }
        if call.changes("enable_key_rotation") || call.changes("rotation_period_in_days") {
            rotate(cloud, call).await?;
        }
        if call.changes("is_enabled") && !is_enabled {
            let disable = Action::repeatable("DisableKey").passing(&[HIDDEN]);
            cloud.kms.call(disable, |kms| kms.disable_key().key_id(id).send()).await?;
        }
        Ok(())
    }

    async fn delete(&self, cloud: &Cloud, call: &Call) -> Result<(), Fault> {
        let days = call.found().whole("deletion_window_in_days");
        let delete = Action::repeatable("ScheduleKeyDeletion");
        let send = |kms: &aws_sdk_kms::Client| {
            kms.schedule_key_deletion().key_id(call.id()).set_pending_window_in_days(days).send()
        };
        match cloud.kms.call(delete, send).await {
            // It may be on its way already: that is what was to be.
            Err(fault) if fault.is(&["KMSInvalidStateException"]) => match look(cloud, call.id()).await? {
                Some(live) if live.state != State::Gone => Err(fault),
                _ => Ok(()),
            },
            done => done.map(|_| ()),
        }
    }
}

async fn rotate(cloud: &Cloud, call: &Call) -> Result<(), Fault> {
    let id = call.id();
    if call.wanted().flag("enable_key_rotation").unwrap_or_default() {
        let enable = Action::repeatable("EnableKeyRotation").passing(&[HIDDEN]);
        let days = call.wanted().whole("rotation_period_in_days");
        let send =
            |kms: &aws_sdk_kms::Client| kms.enable_key_rotation().key_id(id).set_rotation_period_in_days(days).send();
        cloud.kms.call(enable, send).await?;
    } else if call.found().flag("enable_key_rotation").unwrap_or_default() {
        let disable = Action::repeatable("DisableKeyRotation");
        cloud.kms.call(disable, |kms| kms.disable_key_rotation().key_id(id).send()).await?;
    }
    Ok(())
}

/// One key. `None` where there is none.
/// Whether a service keeps the key, so that nobody else can.
async fn is_of_aws(cloud: &Cloud, id: &str) -> Result<bool, Fault> {
    let told = cloud.kms.read("DescribeKey", |kms| kms.describe_key().key_id(id).send()).await;
    match told {
        // One that the caller may not look at is somebody else's.
        Err(fault) if fault.is(&["AccessDeniedException"]) || fault.is_not_found() => Ok(true),
        told => Ok(told?.key_metadata.is_some_and(|key| key.key_manager() == Some(&types::KeyManagerType::Aws))),
    }
}

async fn look(cloud: &Cloud, id: &str) -> Result<Option<Live>, Fault> {
    let told = cloud.kms.read("DescribeKey", |kms| kms.describe_key().key_id(id).send()).await;
    let key = match told {
        Err(fault) if fault.is_not_found() => return Ok(None),
        told => told?.key_metadata,
    };
    // An alias leads to a key too, and is no id of one.
    let Some(key) = key.filter(|key| key.key_id == id) else { return Ok(None) };
    let gone = [types::KeyState::PendingDeletion, types::KeyState::PendingReplicaDeletion];
    if key.key_state().is_some_and(|state| gone.contains(state)) {
        return Ok(Some(Live { id: id.into(), tags: Default::default(), attributes: Vec::new(), state: State::Gone }));
    }
    let policy = cloud.kms.read("GetKeyPolicy", |kms| kms.get_key_policy().key_id(id).policy_name("default").send());
    let policy = policy.await?.policy;
    let rotation = match rotates(&key) {
        true => {
            Some(cloud.kms.read("GetKeyRotationStatus", |kms| kms.get_key_rotation_status().key_id(id).send()).await?)
        }
        false => None,
    };
    let is_rotated = rotation.as_ref().is_some_and(|rotation| rotation.key_rotation_enabled);
    let period = rotation.and_then(|rotation| rotation.rotation_period_in_days).filter(|_| is_rotated);
    let state = match key.key_state() {
        Some(types::KeyState::Creating | types::KeyState::Updating) => State::Pending("Creating".into()),
        _ => State::Ready,
    };
    Ok(Some(Live {
        id: id.to_owned(),
        tags: tags::of_live(cloud, id).await?,
        attributes: vec![
            ("arn", text(key.arn())),
            ("key_id", text(Some(id))),
            ("description", Value::from(key.description().unwrap_or_default())),
            ("policy", text(policy.as_deref())),
            ("is_enabled", flag(Some(key.enabled))),
            ("enable_key_rotation", flag(Some(is_rotated))),
            ("rotation_period_in_days", whole(period)),
            ("key_usage", text(key.key_usage().map(types::KeyUsageType::as_str))),
            ("customer_master_key_spec", text(key.key_spec().map(types::KeySpec::as_str))),
            ("multi_region", flag(Some(key.multi_region().unwrap_or_default()))),
        ],
        state,
    }))
}

/// Whether KMS can make new material of a key by itself.
fn rotates(key: &types::KeyMetadata) -> bool {
    key.key_spec() == Some(&types::KeySpec::SymmetricDefault)
        && key.origin().is_none_or(|origin| *origin == types::OriginType::AwsKms)
}
