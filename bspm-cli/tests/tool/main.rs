//! The tests of the program `bspm`, in one test program, so that the library is compiled once.

mod cases;
mod checkpoints;
mod choice;
mod commands;
mod demo;
mod evaluate_log;
mod first_day;
mod hints;
mod items;
mod limits;
mod lists;
#[cfg(feature = "mcp")]
mod mcp;
mod misread;
#[cfg(feature = "otlp")]
mod otlp;
mod outputs;
mod page_routes;
mod reference;
mod rerank;
mod score;
mod serve;
mod serve_attacked;
mod serve_events;
mod serve_models;
mod serve_openapi;
mod service;
mod shop;
mod snapshots;
mod sparse_vectors;
mod tags;
mod times;
mod users;
