//! The contract in Rust: messages, clients and servers of every `steward.*` package, the descriptor set they came from,
//! and the request rules declared in them.
//!
//! Everything here is generated from `proto/steward` by `build.rs`; see `proto/README.md` for the conventions.

#![allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::allow_attributes_without_reason,
    reason = "generated code carries the comments of the .proto files"
)]

mod rules;

use std::sync::LazyLock;

use prost_reflect::DescriptorPool;

pub use rules::{FieldPath, RuleViolation, Validate, is_email, is_uuid};

/// The whole contract, encoded, with every option: what reflection serves and the gateway transcodes by.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptor.bin"));

/// The same with the comments of the `.proto` files, for documents made from them.
pub const COMMENTED_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptor_commented.bin"));

/// The contract as descriptors; decoded once.
pub fn descriptor_pool() -> &'static DescriptorPool {
    static POOL: LazyLock<DescriptorPool> =
        LazyLock::new(|| DescriptorPool::decode(FILE_DESCRIPTOR_SET).expect("the set was encoded by our own build"));
    &POOL
}

include!(concat!(env!("OUT_DIR"), "/packages.rs"));
pub use steward::*;

include!(concat!(env!("OUT_DIR"), "/validate.rs"));
include!(concat!(env!("OUT_DIR"), "/debug.rs"));
