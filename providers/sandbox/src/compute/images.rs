//! The data source `sandbox_images`: what machines can start from.

use formwork_contract::{Attribute, Block, Type, Value};

use crate::fault::{Code, Fault};
use crate::resource::{DataSource, Lookup};

struct Image {
    name: &'static str,
    id: &'static str,
    family: &'static str,
    released: &'static str,
}

/// From the oldest to the newest.
const IMAGES: [Image; 5] = [
    Image { name: "debian-12", id: "image-deb12", family: "debian", released: "2023-06-10" },
    Image { name: "ubuntu-24.04", id: "image-ubu2404", family: "ubuntu", released: "2024-04-25" },
    Image { name: "flatcar-4230", id: "image-flat4230", family: "flatcar", released: "2025-04-22" },
    Image { name: "rocky-10", id: "image-rocky10", family: "rocky", released: "2025-06-11" },
    Image { name: "debian-13", id: "image-deb13", family: "debian", released: "2025-08-09" },
];

/// Whether an image has this name or id.
pub(crate) fn exists(name_or_id: &str) -> bool {
    IMAGES.iter().any(|image| image.name == name_or_id || image.id == name_or_id)
}

/// All names, for a hint.
pub(crate) fn names() -> String {
    IMAGES.map(|image| format!("`{}`", image.name)).join(", ")
}

pub(crate) struct Images;

impl DataSource for Images {
    fn type_name(&self) -> &'static str {
        "sandbox_images"
    }

    fn block(&self) -> Block {
        let image = Type::object([
            ("id", Type::String),
            ("name", Type::String),
            ("family", Type::String),
            ("released", Type::String),
        ]);
        let block = Block::new([
            ("filter", Attribute::optional(Type::String).describe("Keeps images whose name starts with this.")),
            ("most_recent", Attribute::optional(Type::Bool).describe("Keeps only the newest of them.")),
            ("images", Attribute::computed(Type::list(image)).describe("The images, from the oldest to the newest.")),
            ("id", Attribute::computed(Type::String).describe("The id of the newest of them.")),
        ]);
        Block { description: "The images that machines can start from.".into(), ..block }
    }

    fn read(&self, _lookup: &Lookup<'_>, config: &Value) -> Result<Value, Fault> {
        let filter = config.get_str("filter").unwrap_or_default();
        let mut found: Vec<&Image> = IMAGES.iter().filter(|image| image.name.starts_with(filter)).collect();
        let Some(newest) = found.last().copied() else {
            return Err(Fault::new(Code::NotFound, format!("No image has a name that starts with `{filter}`."))
                .attribute("filter")
                .hint(format!("there are {}", names())));
        };
        if config.get("most_recent").and_then(Value::as_bool) == Some(true) {
            found = vec![newest];
        }
        let images: Vec<Value> = found.into_iter().map(Image::value).collect();
        let element = images.first().map_or(Type::Any, Value::ty);
        Ok(config.with("images", Value::list(element, images)).with("id", newest.id.into()))
    }
}

impl Image {
    fn value(&self) -> Value {
        Value::object([
            ("id", self.id.into()),
            ("name", self.name.into()),
            ("family", self.family.into()),
            ("released", self.released.into()),
        ])
    }
}
