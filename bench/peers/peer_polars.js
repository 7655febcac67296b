#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
//
// Polars on Parquet.
//
// usage: POLARS_MAX_THREADS=N NODE_PATH=... node peer_polars.js
//            TABLE.parquet QUESTION THREADS [RESULT]
//
// RESULT as for peer_numpy.py.
const fs = require("fs");
const pl = require("nodejs-polars");

const [source, question, , result] = process.argv.slice(2);
const measures = ["resource", "information", "strategy"];
const column = pl.col;
const sums = measures.map((name) => column(name).sum());
const of = (how) =>
  measures.map((name) => column(name)[how]().alias(`${name}_${how}`));
const weighted = column("resource").mul(0.5)
  .add(column("information").mul(0.3))
  .add(column("strategy").mul(0.2));

const answers = {
  Q1: (table) => table.groupBy("cluster_id").agg(...sums),
  Q2: (table) => table.groupBy("cluster_id").agg(
    ...sums, pl.len().alias("n"), ...of("mean"), ...of("min"), ...of("max"),
    ...of("var")),
  Q3: (table) => table.groupBy("enterprise_group").agg(...sums),
  Q4: (table) => table.groupBy(["cluster_id", "chain_id", "platform_id"])
    .agg(...sums),
  Q5: (table) => table.select(...sums),
  Q6: (table) => table.groupBy("cluster_id").agg(column("resource").median()),
  Q7: (table) => table
    .filter(column("information").gt(1).and(column("platform_id").lt(100)))
    .groupBy("cluster_id").agg(...sums),
  Q8: (table) => table.groupBy("cluster_id").agg(weighted.sum().alias("w")),
};

const found = answers[question](pl.scanParquet(source)).collectSync();
if (result) {
  const file = fs.openSync(result, "w");
  for (const name of found.columns)
    fs.writeSync(file, Buffer.from(
      Float64Array.from(found.getColumn(name).toArray(), Number).buffer));
  fs.closeSync(file);
}
