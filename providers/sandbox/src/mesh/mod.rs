//! Service meshes, and who may speak in them.

pub(crate) mod member;
#[expect(clippy::module_inception, reason = "a file a type, named as the type is")]
pub(crate) mod mesh;
