//! `aws_iam_role_policy`: a policy within a role, which goes with it.
//!
//! Such policies carry no tags: one is known by its role and its name.

use async_trait::async_trait;
use formwork_contract::provider::{PlanRequest, PlannedChange};
use formwork_contract::{Attribute, Type, Value};

use super::{BUSY, FEW, HIDDEN, details, is_denied};
use crate::client::Action;
use crate::client::fault::Fault;
use crate::client::several::each;
use crate::cloud::Cloud;
use crate::fields::Fields;
use crate::made_up;
use crate::policy;
use crate::resource::{Call, Description, Live, Problems, Query, Resource, State};
use crate::tags::Tags;

pub(super) struct RolePolicy;

#[async_trait]
impl Resource for RolePolicy {
    fn describe(&self) -> Description {
        let attributes = [
            ("role", Attribute::required(Type::String).forces_replacement().describe("The role's name.")),
            (
                "name",
                Attribute::defaulted(Type::String)
                    .forces_replacement()
                    .describe("Its name, once in a role. Made up by default."),
            ),
            (
                "name_prefix",
                Attribute::optional(Type::String)
                    .forces_replacement()
                    .describe("What a name that is made up begins with."),
            ),
            ("policy", Attribute::required(Type::String).describe("What is allowed and denied, in JSON.")),
        ];
        Description {
            kept: &["name_prefix"],
            overwrites: true,
            import_example: "platform-nodes:logs",
            ..Description::new("aws_iam_role_policy", "A policy within a role.", attributes)
        }
    }

    fn check(&self, config: &Value, problems: &mut Problems) {
        problems.at_most_one(config, &["name", "name_prefix"]);
        policy::check(config, "policy", problems);
    }

    fn refine(&self, request: &PlanRequest, change: &mut PlannedChange) {
        made_up::keep_taken_over(request, change);
    }

    fn same(&self, attribute: &str, known: &Value, live: &Value) -> bool {
        attribute == "policy" && policy::is_same(known, live)
    }

    async fn id_of_attempt(&self, _cloud: &Cloud, planned: &Value, token: &str) -> Result<Option<String>, Fault> {
        let planned = Fields(planned);
        Ok(planned.str("role").map(|role| format!("{role}:{}", made_up::name(planned, token))))
    }

    async fn find(&self, cloud: &Cloud, query: &Query) -> Result<Vec<Live>, Fault> {
        let Query::Ids(ids) = query else { return Ok(Vec::new()) };
        let found = if ids.len() <= FEW {
            one_by_one(cloud, ids.clone()).await?
        } else {
            match listed(cloud).await {
                Err(fault) if is_denied(&fault) => one_by_one(cloud, ids.clone()).await?,
                found => found?,
            }
        };
        Ok(found.into_iter().filter(|live| ids.contains(&live.id)).collect())
    }

    async fn create(&self, cloud: &Cloud, call: &Call) -> Result<String, Fault> {
        let (role, name) = (call.wanted().text("role").unwrap_or_default(), made_up::name(call.wanted(), &call.token));
        put(cloud, call, &role, &name).await?;
        Ok(format!("{role}:{name}"))
    }

    async fn update(&self, cloud: &Cloud, call: &Call) -> Result<(), Fault> {
        if !call.changes("policy") {
            return Ok(());
        }
        let (role, name) = call.id().split_once(':').unwrap_or_default();
        put(cloud, call, role, name).await
    }

    async fn delete(&self, cloud: &Cloud, call: &Call) -> Result<(), Fault> {
        let (role, name) = call.id().split_once(':').unwrap_or_default();
        let delete = Action::repeatable("DeleteRolePolicy").passing(&[BUSY]);
        cloud.iam.call(delete, |iam| iam.delete_role_policy().role_name(role).policy_name(name).send()).await?;
        Ok(())
    }
}

async fn put(cloud: &Cloud, call: &Call, role: &str, name: &str) -> Result<(), Fault> {
    let put = Action::repeatable("PutRolePolicy").passing(&[HIDDEN, BUSY]);
    let document = call.wanted().text("policy");
    let send = |iam: &aws_sdk_iam::Client| {
        iam.put_role_policy().role_name(role).policy_name(name).set_policy_document(document.clone()).send()
    };
    cloud.iam.call(put, send).await?;
    Ok(())
}

async fn one_by_one(cloud: &Cloud, ids: Vec<String>) -> Result<Vec<Live>, Fault> {
    each(ids, |id| async move {
        let Some((role, name)) = id.split_once(':') else { return Ok(None) };
        let send = |iam: &aws_sdk_iam::Client| iam.get_role_policy().role_name(role).policy_name(name).send();
        let told = cloud.iam.read("GetRolePolicy", send).await?;
        Ok(Some(live(role, name, &told.policy_document)))
    })
    .await
}

async fn listed(cloud: &Cloud) -> Result<Vec<Live>, Fault> {
    let found = details::roles(cloud).await?.into_iter().flat_map(|detail| {
        let role = detail.role_name.unwrap_or_default();
        let policies = detail.role_policy_list.unwrap_or_default();
        policies.into_iter().map(move |policy| {
            live(&role, policy.policy_name().unwrap_or_default(), policy.policy_document().unwrap_or_default())
        })
    });
    Ok(found.collect())
}

fn live(role: &str, name: &str, document: &str) -> Live {
    Live {
        id: format!("{role}:{name}"),
        tags: Tags::new(),
        attributes: vec![
            ("role", Value::from(role)),
            ("name", Value::from(name)),
            ("policy", Value::from(policy::decoded(document))),
        ],
        state: State::Ready,
    }
}
