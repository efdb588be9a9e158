//! Rules, and nothing else: no async, no SQL, no proto; `now` is an argument.

pub mod customer;
pub mod estate;
pub mod estate_import;
pub mod exit;
pub mod facts;
pub mod figures;
pub mod household;
pub mod identity;
pub mod ids;
pub mod key_date;
pub mod premises;
pub mod profile;
pub mod register_file;
pub mod renovation;
pub mod segment;
pub mod tenure;
pub mod text;
pub mod timeline;
pub mod unit;
pub mod vault;
