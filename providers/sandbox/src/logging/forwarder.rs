//! `sandbox_log_forwarder`: sends what a machine, a cluster, a mesh or a registry logs to a store.

use formwork_contract::{Attribute, Block, Type, Value};

use super::store;
use crate::fault::Fault;
use crate::resource::{Call, Computed, Description, Names, Problems, Reference, Resource};
use crate::{cluster, compute, mesh, registry};

pub(crate) const TYPE: &str = "sandbox_log_forwarder";

pub(crate) struct Forwarder;

impl Resource for Forwarder {
    fn describe(&self) -> Description {
        let block = Block::new([
            ("id", Attribute::computed(Type::String).describe("The forwarder's id, such as `forward-0a1b...`.")),
            (
                "source_id",
                Attribute::required(Type::String)
                    .forces_replacement()
                    .describe("The machine, cluster, mesh or registry whose logs are sent."),
            ),
            ("store_id", Attribute::required(Type::String).describe("The log store; it can change in place.")),
            (
                "level",
                Attribute::defaulted(Type::String)
                    .describe("The least level that is sent: `debug`, `info` (the default), `warn` or `error`."),
            ),
        ]);
        Description {
            type_name: TYPE,
            id_prefix: "forward",
            block: Block { description: "Sends logs to a store.".into(), ..block },
            defaults: vec![("level", "info".into())],
            references: &[
                Reference {
                    attribute: "source_id",
                    types: &[
                        compute::machine::TYPE,
                        cluster::cluster::TYPE,
                        mesh::mesh::TYPE,
                        registry::registry::TYPE,
                    ],
                },
                Reference { attribute: "store_id", types: &[store::TYPE] },
            ],
            names: Names::Within { scope: "store_id", attribute: "source_id" },
            recomputed: &[],
        }
    }

    fn check(&self, config: &Value, problems: &mut Problems) {
        problems.one_of(config, "level", &["debug", "info", "warn", "error"]);
    }

    fn create(&self, _call: &Call<'_>, _planned: &Value) -> Result<Computed, Fault> {
        Ok(Vec::new())
    }
}
