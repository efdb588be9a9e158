//! Compiles the contract: one descriptor set feeds the Rust types, the request rules, reflection and the JSON gateway.

#![allow(clippy::wildcard_enum_match_arm, reason = "the enums of descriptors are not ours and grow")]
#![allow(clippy::disallowed_methods, reason = "cargo speaks to a build script through its environment")]

#[path = "build/debug.rs"]
mod debug;
#[path = "build/validate.rs"]
mod validate;

use std::{
    env,
    error::Error,
    fs,
    path::{Path, PathBuf},
};

use prost::Message as _;
use prost_reflect::DescriptorPool;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=steward");
    println!("cargo:rerun-if-changed=third_party");
    println!("cargo:rerun-if-changed=build");
    let out = PathBuf::from(env::var("OUT_DIR")?);

    let mut files = Vec::new();
    find_protos(Path::new("steward"), &mut files)?;
    files.sort();
    let mut compiler = protox::Compiler::new([".", "third_party"])?;
    compiler.include_imports(true).include_source_info(false);
    compiler.open_files(&files)?;
    // The encoded bytes keep our options; decoding to `prost_types` drops them, so only code generation uses that form.
    let bytes = compiler.encode_file_descriptor_set();
    fs::write(out.join("descriptor.bin"), &bytes)?;

    let pool = DescriptorPool::decode(bytes.as_slice())?;
    let redacted = debug::redacted_messages(&pool);
    fs::write(out.join("validate.rs"), validate::generate(&pool)?)?;
    fs::write(out.join("debug.rs"), debug::generate(&redacted))?;

    // With comments this time: they become the doc comments of the Rust types and of the OpenAPI file.
    compiler.include_source_info(true);
    let commented = compiler.encode_file_descriptor_set();
    fs::write(out.join("descriptor_commented.bin"), &commented)?;
    let mut set = prost_types::FileDescriptorSet::decode(commented.as_slice())?;
    // The well-known types stay in the set because ours refer to them; prost maps them to `prost_types`.
    set.file.retain(|file| file.package().starts_with("steward.") || file.package() == "google.protobuf");
    let mut config = tonic_prost_build::Config::new();
    config.skip_debug(redacted.iter().map(|message| format!(".{}", message.full_name())));
    config.bytes(["."]);
    // In order, so that one message has one encoding: a request's hash must not change between two tries.
    config.btree_map(["."]);
    config.include_file("packages.rs");
    config.enable_type_names();
    config.type_name_domain(["."], "type.googleapis.com");
    tonic_prost_build::configure().build_transport(true).compile_fds_with_config(set, config)?;
    Ok(())
}

fn find_protos(dir: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            find_protos(&path, files)?;
        } else if path.extension().is_some_and(|ext| ext == "proto") {
            files.push(path);
        }
    }
    Ok(())
}
