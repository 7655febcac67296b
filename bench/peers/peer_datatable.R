#!/usr/bin/env Rscript
# SPDX-License-Identifier: Apache-2.0
#
# data.table on columns that rhdf5 reads.
#
# usage: peer_datatable.R TABLE.h5 QUESTION THREADS [RESULT]
#
# RESULT as for peer_numpy.py.
suppressPackageStartupMessages({
  library(data.table)
  library(rhdf5)
})
words <- commandArgs(TRUE)
question <- words[2]
setDTthreads(as.integer(words[3]))
measures <- c("resource", "information", "strategy")
keys <- switch(question, Q3 = "enterprise_group", Q5 = character(),
               Q4 = c("cluster_id", "chain_id", "platform_id"), "cluster_id")
needed <- switch(question, Q6 = c(keys, "resource"),
                 Q7 = c(keys, "platform_id", measures), c(keys, measures))
d <- lapply(setNames(needed, needed),
            function(name) as.vector(h5read(words[1], name)))
setDT(d)

found <- switch(question,
  Q2 = d[, .(sum(resource), sum(information), sum(strategy), .N,
             mean(resource), mean(information), mean(strategy),
             min(resource), min(information), min(strategy),
             max(resource), max(information), max(strategy),
             var(resource), var(information), var(strategy)),
         by = cluster_id],
  Q5 = d[, lapply(.SD, sum), .SDcols = measures],
  Q6 = d[, .(median(resource)), by = cluster_id],
  Q7 = d[information > 1 & platform_id < 100, lapply(.SD, sum),
         by = cluster_id, .SDcols = measures],
  Q8 = d[, .(w = resource * 0.5 + information * 0.3 + strategy * 0.2,
             cluster_id)][, .(sum(w)), by = cluster_id],
  d[, lapply(.SD, sum), by = keys, .SDcols = measures])

if (length(words) > 3) {
  file <- file(words[4], "wb")
  for (column in found) writeBin(as.double(column), file)
  close(file)
}
