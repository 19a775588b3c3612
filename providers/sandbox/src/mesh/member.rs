//! `sandbox_mesh_member`: a workload in a mesh, and who may call it.

use formwork_contract::{Attribute, Block, Type, Value};

use super::mesh;
use crate::fault::Fault;
use crate::resource::{Call, Computed, Description, Names, Problems, Reference, Resource};
use crate::store::objects;

pub(crate) const TYPE: &str = "sandbox_mesh_member";

pub(crate) struct Member;

impl Resource for Member {
    fn describe(&self) -> Description {
        let block = Block::new([
            ("id", Attribute::computed(Type::String).describe("The member's id, such as `member-0a1b...`.")),
            (
                "mesh_id",
                Attribute::required(Type::String).forces_replacement().describe("The mesh that it is a part of."),
            ),
            (
                "workload",
                Attribute::required(Type::String)
                    .forces_replacement()
                    .describe("The workload's name, unique in the mesh."),
            ),
            (
                "allow_from",
                Attribute::optional(Type::set(Type::String)).describe("The workloads that may call this one."),
            ),
            ("identity", Attribute::computed(Type::String).describe("The SPIFFE id of the workload.")),
        ]);
        Description {
            type_name: TYPE,
            id_prefix: "member",
            block: Block { description: "A workload in a mesh, and who may call it.".into(), ..block },
            defaults: Vec::new(),
            references: &[Reference { attribute: "mesh_id", types: &[mesh::TYPE] }],
            names: Names::Within { scope: "mesh_id", attribute: "workload" },
            recomputed: &[],
        }
    }

    fn check(&self, config: &Value, problems: &mut Problems) {
        problems.name(config, "workload");
    }

    fn create(&self, call: &Call<'_>, planned: &Value) -> Result<Computed, Fault> {
        let mesh_id = planned.get_str("mesh_id").unwrap_or_default();
        let mesh = objects::by_id(call.connection, mesh_id)?;
        let domain = mesh.as_ref().and_then(|mesh| mesh.attribute("trust_domain")).unwrap_or_default();
        let workload = planned.get_str("workload").unwrap_or_default();
        Ok(vec![("identity", format!("spiffe://{domain}/workload/{workload}").into())])
    }
}
