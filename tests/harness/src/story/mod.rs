//! The main job, played through the gateway as its callers would: an estate is imported, a pipe bursts at 02:00, a contact is missed, the
//! work is done, the resident is not satisfied, the work is done again. Then care and survey: a visit is left out and planned again, a
//! birthday is greeted, a quarter is asked, an activity is full. `cargo dev demo` tells it; an end-to-end test plays the same story with a manual clock.

mod activity;
mod answers;
mod birthday;
mod board;
mod door;
mod home;
mod import;
mod night;
mod outside;
mod picture;
mod prologue;
mod questionnaire;
mod repair;
mod stage;
mod touchpoints;
mod visit;
mod wave;

pub use door::Door;
pub use stage::{Actor, Mails, Moves, Stage};

use anyhow::Result;

use outside::OtherSystem;

/// Mails that the resident gets in the story: received, promised, completed, and so on; the templates say which steps are mailed.
const MAILS: usize = 5;

/// Loads the sample estate (registered, under a plan's numbers, imported from CSV) unless the stage has an estate already.
pub async fn load_sample(stage: &Stage) -> Result<()> {
    if prologue::has_estate(stage).await? {
        return Ok(());
    }
    prologue::play(stage).await.map(drop)
}

/// Plays the whole story; fails at the first thing that is not as it should be.
pub async fn play(stage: &Stage) -> Result<()> {
    let estate = prologue::play(stage).await?;
    let other = OtherSystem::register(stage, &estate.id).await?;
    let order = night::play(stage, &estate).await?;
    let order = repair::play(stage, &estate, order).await?;
    picture::play(stage, &estate, &order).await?;
    outside::check_mail(stage, &order.number, MAILS).await?;
    other.check(stage).await?;
    let month = board::month(stage);
    // Boxed: all scenes in one future would weigh on whoever holds it.
    Box::pin(visit::play(stage, &estate)).await?;
    Box::pin(birthday::play(stage, &estate)).await?;
    Box::pin(wave::play(stage, &estate)).await?;
    Box::pin(activity::play(stage, &estate)).await?;
    board::play(stage, &estate, month).await
}
