//! `sandbox_registry`: a container registry.

use formwork_contract::{Attribute, Block, Contents, Nesting, Path, Step, Type, Value};

use crate::fault::Fault;
use crate::resource::{Call, Computed, Description, Names, Problems, Resource, whole};

pub(crate) const TYPE: &str = "sandbox_registry";

pub(crate) struct Registry;

impl Resource for Registry {
    fn describe(&self) -> Description {
        let block = Block::new([
            ("id", Attribute::computed(Type::String).describe("The registry's id, such as `registry-0a1b...`.")),
            (
                "name",
                Attribute::required(Type::String)
                    .forces_replacement()
                    .describe("A name that is unique in the whole sandbox, as it is a part of the URL."),
            ),
            (
                "immutable_tags",
                Attribute::defaulted(Type::Bool).describe("Whether a tag, once pushed, stays; `true` by default."),
            ),
            (
                "scan_on_push",
                Attribute::defaulted(Type::Bool)
                    .describe("Whether images are scanned when they come; `true` by default."),
            ),
            ("url", Attribute::computed(Type::String).describe("What image names start with.")),
            ("path", Attribute::computed(Type::String).describe("What names the registry across regions.")),
            ("tags", Attribute::optional(Type::map(Type::String)).describe("Free keys and values.")),
        ])
        .with_block("retention", Nesting::Single, retention());
        Description {
            type_name: TYPE,
            id_prefix: "registry",
            block: Block { description: "A container registry.".into(), ..block },
            defaults: vec![("immutable_tags", true.into()), ("scan_on_push", true.into())],
            references: &[],
            names: Names::Global("name"),
            recomputed: &[],
        }
    }

    fn contents(&self) -> Contents {
        Contents::Data("container images".into())
    }

    fn check(&self, config: &Value, problems: &mut Problems) {
        problems.name(config, "name");
        let Some(retention) = config.get("retention") else { return };
        for attribute in ["untagged_days", "keep_last"] {
            if whole(retention, attribute).is_some_and(|number| number < 1) {
                let path = [Step::Attribute("retention".into()), Step::Attribute(attribute.into())];
                let path: Path = path.into_iter().collect();
                problems.push(path, format!("`{attribute}` must be at least 1"), "leave it out to keep everything");
            }
        }
    }

    fn create(&self, call: &Call<'_>, planned: &Value) -> Result<Computed, Fault> {
        let name = planned.get_str("name").unwrap_or_default();
        let url = format!("{name}.registry.sandbox.invalid");
        Ok(vec![("url", url.into()), ("path", call.path("registry"))])
    }
}

fn retention() -> Block {
    let block = Block::new([
        ("untagged_days", Attribute::optional(Type::Number).describe("How many days an image without a tag is kept.")),
        ("keep_last", Attribute::optional(Type::Number).describe("How many images of a repository are kept.")),
    ]);
    Block { description: "What is cleared away.".into(), ..block }
}
