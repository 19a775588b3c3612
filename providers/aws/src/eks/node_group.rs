//! `aws_eks_node_group`: machines of a cluster that EKS keeps.

use std::time::Duration;

use async_trait::async_trait;
use formwork_contract::provider::{PlanRequest, PlannedChange};
use formwork_contract::{Attribute, Block, Contents, Nesting, Path, Type, Value};

use super::node_group_live::{self, LAUNCH, REMOTE, SCALING, TAINT, UPDATE};
use super::tags::{self, EksTags};
use super::{HIDDEN, PAGE, joined, node_group_update, replaces, replaces_if_said, says_the_same, with_block, within};
use crate::client::Action;
use crate::client::fault::Fault;
use crate::client::several::each;
use crate::cloud::Cloud;
use crate::fields::Fields;
use crate::resource::{Call, Description, Live, Problems, Query, Resource, Times};

pub(super) struct NodeGroup;

const HOUR: Duration = Duration::from_secs(60 * 60);
const TIMES: Times = Times { create: HOUR, update: HOUR, delete: HOUR };

#[async_trait]
impl Resource for NodeGroup {
    fn describe(&self) -> Description {
        let mut described = Description {
            contents: Contents::Data("what runs on the nodes".into()),
            defaults: vec![("force_update_version", false.into())],
            kept: &["force_update_version"],
            moves: &[("release_version", &["version", LAUNCH]), ("resources", &[LAUNCH])],
            only_if_set: &[UPDATE],
            scans: true,
            lingers: true,
            import_example: "platform:workers",
            ..Description::new("aws_eks_node_group", "Machines of a cluster that EKS keeps.", attributes())
                .tagged(&EksTags("arn"))
                .with_timeouts(TIMES)
        };
        blocks(&mut described);
        described
    }

    fn check(&self, config: &Value, problems: &mut Problems) {
        problems.one_of(config, "capacity_type", &["ON_DEMAND", "SPOT", "CAPACITY_BLOCK"]);
        let fields = Fields(config);
        if let Some(scaling) = fields.block(SCALING) {
            let sizes = ["min_size", "desired_size", "max_size"].map(|name| scaling.whole(name));
            if let [Some(least), Some(wanted), Some(most)] = sizes
                && !(least <= wanted && wanted <= most)
            {
                let told = format!("{wanted} nodes are not from {least} to {most}");
                problems.at(SCALING, told, "`desired_size` lies between `min_size` and `max_size`");
            }
        } else if config.get(SCALING).is_none_or(|block| !block.is_unknown()) {
            let told = "a group of nodes needs a block `scaling_config`";
            problems.at(SCALING, told, "set its `min_size`, `desired_size` and `max_size`");
        }
        if let Some(template) = fields.block(LAUNCH)
            && template.str("id").is_some() == template.str("name").is_some()
            && template.0.is_wholly_known()
        {
            problems.at(LAUNCH, "a launch template is named by `id` or by `name`", "set one of them");
        }
    }

    fn refine(&self, request: &PlanRequest, change: &mut PlannedChange) {
        let has_template = |value: &Value| Fields(value).block(LAUNCH).is_some();
        let is_open = request.proposed.get(LAUNCH).is_some_and(Value::is_unknown);
        if !request.prior.is_null() && !is_open && has_template(&request.prior) != has_template(&request.proposed) {
            change.requires_replace.push(Path::attribute(LAUNCH));
        }
        replaces_if_said(request, change, LAUNCH, &["id", "name"]);
        replaces(request, change, REMOTE, &["ec2_ssh_key", "source_security_group_ids"]);
    }

    fn same(&self, attribute: &str, known: &Value, live: &Value) -> bool {
        [UPDATE, REMOTE].contains(&attribute) && says_the_same(known, live)
    }

    fn id_of(&self, planned: &Value) -> Option<String> {
        Some(joined(planned.get_str("cluster_name")?, planned.get_str("node_group_name")?))
    }

    async fn find(&self, cloud: &Cloud, query: &Query) -> Result<Vec<Live>, Fault> {
        let list = |cluster: String| async move {
            let found = cloud.eks.pages(
                "ListNodegroups",
                |eks, token| {
                    eks.list_nodegroups().cluster_name(&cluster).max_results(PAGE).set_next_token(token).send()
                },
                |page| (page.nodegroups, page.next_token),
            );
            found.await
        };
        let found = each(within(cloud, query, list).await?, |(cluster, name)| async move {
            let send = |eks: &aws_sdk_eks::Client| {
                eks.describe_nodegroup().cluster_name(&cluster).nodegroup_name(&name).send()
            };
            let told = cloud.eks.read("DescribeNodegroup", send).await?.nodegroup;
            Ok(told.as_ref().map(node_group_live::live))
        });
        Ok(found.await?.into_iter().filter(|live| query.admits(&live.tags)).collect())
    }

    async fn create(&self, cloud: &Cloud, call: &Call) -> Result<String, Fault> {
        let wanted = call.wanted();
        let some = |name: &str| Some(wanted.texts(name)).filter(|texts| !texts.is_empty());
        let create = Action::repeatable("CreateNodegroup").passing(&[HIDDEN]);
        let made = cloud.eks.call(create, |eks| {
            eks.create_nodegroup()
                .client_request_token(&call.token)
                .set_cluster_name(wanted.text("cluster_name"))
                .set_nodegroup_name(wanted.text("node_group_name"))
                .set_node_role(wanted.text("node_role_arn"))
                .set_subnets(some("subnet_ids"))
                .set_scaling_config(wanted.block(SCALING).map(node_group_update::scaling))
                .set_update_config(wanted.block(UPDATE).map(node_group_update::pace))
                .set_launch_template(wanted.block(LAUNCH).map(node_group_update::template))
                .set_remote_access(wanted.block(REMOTE).map(node_group_update::remote))
                .set_ami_type(wanted.word("ami_type"))
                .set_capacity_type(wanted.word("capacity_type"))
                .set_disk_size(wanted.whole("disk_size"))
                .set_instance_types(some("instance_types"))
                .set_labels(node_group_update::labels(wanted))
                .set_taints(Some(node_group_update::taints(wanted)).filter(|taints| !taints.is_empty()))
                .set_version(wanted.text("version"))
                .set_release_version(wanted.text("release_version"))
                .set_tags(tags::to_sdk(&call.tags))
                .send()
        });
        made.await?;
        Ok(self.id_of(&call.planned).unwrap_or_default())
    }

    async fn update(&self, cloud: &Cloud, call: &Call) -> Result<(), Fault> {
        node_group_update::bring(cloud, call, TIMES.update).await
    }

    async fn delete(&self, cloud: &Cloud, call: &Call) -> Result<(), Fault> {
        let (cluster, name) = super::parted(call.id());
        let delete = Action::repeatable("DeleteNodegroup");
        let send =
            |eks: &aws_sdk_eks::Client| eks.delete_nodegroup().cluster_name(&cluster).nodegroup_name(&name).send();
        cloud.eks.call(delete, send).await?;
        Ok(())
    }
}

fn attributes() -> [(&'static str, Attribute); 15] {
    let told = |text: &str| Attribute::computed(Type::String).describe(text);
    let named = |text: &str| Attribute::required(Type::String).forces_replacement().describe(text);
    let fixed = |ty: Type, text: &str| Attribute::defaulted(ty).forces_replacement().describe(text);
    let group = Type::object([("name", Type::String)]);
    let resources = Type::list(Type::object([
        ("autoscaling_groups", Type::list(group)),
        ("remote_access_security_group_id", Type::String),
    ]));
    [
        ("arn", told("What names the group across regions.")),
        ("cluster_name", named("The cluster.")),
        ("node_group_name", named("Its name, once in a cluster.")),
        ("node_role_arn", named("The role by which the nodes act.")),
        (
            "subnet_ids",
            Attribute::required(Type::set(Type::String)).forces_replacement().describe("Where the nodes stand."),
        ),
        ("ami_type", fixed(Type::String, "The image: `AL2023_x86_64_STANDARD`, `BOTTLEROCKET_x86_64` and others.")),
        ("capacity_type", fixed(Type::String, "`ON_DEMAND` (the default), `SPOT` or `CAPACITY_BLOCK`.")),
        ("disk_size", fixed(Type::Number, "The disk of a node in GiB, where no launch template says it.")),
        ("instance_types", fixed(Type::list(Type::String), "The kinds of machines, where no launch template says it.")),
        ("labels", Attribute::optional(Type::map(Type::String)).describe("Labels of the nodes in Kubernetes.")),
        (
            "version",
            Attribute::defaulted(Type::String).describe("The version of Kubernetes. The cluster's by default."),
        ),
        ("release_version", Attribute::defaulted(Type::String).describe("The version of the image.")),
        (
            "force_update_version",
            Attribute::defaulted(Type::Bool).describe("Nodes are exchanged though a budget forbids to drain them."),
        ),
        ("status", told("`ACTIVE`, and what is between.")),
        ("resources", Attribute::computed(resources).describe("What EKS made for the group.")),
    ]
}

fn blocks(described: &mut Description) {
    let size = |text: &str| Attribute::required(Type::Number).describe(text);
    let scaling = Block::new([
        ("min_size", size("How many nodes at least.")),
        ("desired_size", size("How many nodes.")),
        ("max_size", size("How many nodes at most.")),
    ]);
    with_block(described, SCALING, "How many nodes there are.", scaling);
    let number = |text: &str| Attribute::optional(Type::Number).describe(text);
    let update = Block::new([
        ("max_unavailable", number("So many nodes may be out at once during an update.")),
        ("max_unavailable_percentage", number("The same in percent.")),
    ]);
    with_block(described, UPDATE, "How an update goes through the nodes.", update);
    let given = |text: &str| Attribute::optional(Type::String).describe(text);
    let filled = |text: &str| Attribute::defaulted(Type::String).describe(text);
    let template = Block::new([
        ("id", filled("The template. Another one makes another group.")),
        ("name", filled("The template by its name.")),
        ("version", filled("Its version, a number. Nodes are exchanged for another.")),
    ]);
    with_block(described, LAUNCH, "A launch template of the nodes.", template);
    let remote = Block::new([
        ("ec2_ssh_key", given("The `aws_key_pair` that nodes let in.")),
        (
            "source_security_group_ids",
            Attribute::optional(Type::set(Type::String)).describe("From where. From everywhere by default."),
        ),
    ]);
    with_block(described, REMOTE, "Who gets onto the nodes.", remote);
    let taint = Block::new([
        ("key", Attribute::required(Type::String).describe("Its key.")),
        ("value", given("Its value.")),
        ("effect", Attribute::required(Type::String).describe("`NO_SCHEDULE`, `NO_EXECUTE` or `PREFER_NO_SCHEDULE`.")),
    ]);
    let outer = std::mem::take(&mut described.block);
    described.block = outer.with_block(TAINT, Nesting::Set, Block { description: "Keeps pods away.".into(), ..taint });
}
