//! `sandbox_mesh`: the service mesh of a cluster.

use formwork_contract::{Attribute, Block, Type, Value};

use crate::cluster::cluster;
use crate::fault::Fault;
use crate::resource::{Call, Computed, Description, Names, Problems, Reference, Resource};

pub(crate) const TYPE: &str = "sandbox_mesh";

pub(crate) struct Mesh;

impl Resource for Mesh {
    fn describe(&self) -> Description {
        let block = Block::new([
            ("id", Attribute::computed(Type::String).describe("The mesh's id, such as `mesh-0a1b...`.")),
            (
                "cluster_id",
                Attribute::required(Type::String)
                    .forces_replacement()
                    .describe("The cluster whose workloads it joins; a cluster has one mesh."),
            ),
            (
                "mtls",
                Attribute::defaulted(Type::String)
                    .describe("`strict` (the default): only mutual TLS; `permissive`: plain text too."),
            ),
            (
                "default_action",
                Attribute::defaulted(Type::String)
                    .describe("What becomes of calls that no member allows: `deny` (the default) or `allow`."),
            ),
            (
                "trust_domain",
                Attribute::defaulted(Type::String)
                    .forces_replacement()
                    .describe("What identities start with; `cluster.local` by default."),
            ),
            ("root_identity", Attribute::computed(Type::String).describe("The SPIFFE id of the mesh itself.")),
            ("path", Attribute::computed(Type::String).describe("What names the mesh across regions.")),
            ("tags", Attribute::optional(Type::map(Type::String)).describe("Free keys and values.")),
        ]);
        Description {
            type_name: TYPE,
            id_prefix: "mesh",
            block: Block { description: "The service mesh of a cluster.".into(), ..block },
            defaults: vec![
                ("mtls", "strict".into()),
                ("default_action", "deny".into()),
                ("trust_domain", "cluster.local".into()),
            ],
            references: &[Reference { attribute: "cluster_id", types: &[cluster::TYPE] }],
            names: Names::Global("cluster_id"),
            recomputed: &[],
        }
    }

    fn check(&self, config: &Value, problems: &mut Problems) {
        problems.one_of(config, "mtls", &["strict", "permissive"]);
        problems.one_of(config, "default_action", &["deny", "allow"]);
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-' | '_');
        if let Some(domain) = config.get_str("trust_domain")
            && (domain.is_empty() || domain.len() > 255 || !domain.chars().all(fits))
        {
            problems.at(
                "trust_domain",
                format!("`{domain}` is not a trust domain"),
                "use lower-case letters, digits, dots, dashes and underscores, at most 255 (SPIFFE-ID, section 2.1)",
            );
        }
    }

    fn create(&self, call: &Call<'_>, planned: &Value) -> Result<Computed, Fault> {
        let domain = planned.get_str("trust_domain").unwrap_or_default();
        let root = format!("spiffe://{domain}/mesh/{}", call.id);
        Ok(vec![("root_identity", root.into()), ("path", call.path("mesh"))])
    }
}
