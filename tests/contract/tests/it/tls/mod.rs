//! Certificates on real sockets: who gets in, who may call, and how both change while nobody notices.

mod callers;
mod rotation;
mod world;
