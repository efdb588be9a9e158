//! Walks over the contract: what the API lists, a test walks. The tests are in `tests/it`.
