//! Tests of the rules, by requirement. Numbers are those of the plans in `gateway/plans`, read from there.

mod assess;
mod auto_close;
mod callbacks;
mod clocks;
mod dispatch;
mod external_due;
mod field_work;
mod figures;
mod intake;
mod lessons;
mod major;
mod order_job;
mod plans;
mod property;
mod reclassify;
mod roster;
mod story;
mod verbs;
