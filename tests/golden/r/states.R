# Multi-state models: state occupation, expected days, landmark Aalen-Johansen. survfit (Aalen-Johansen, infinitesimal
# jackknife by person); areas and their errors from its influences.
source("common.R")
lay <- function(d, name) { set.seed(nrow(d)); w <- round(runif(length(unique(d$id)), 0.2, 3), 3); d$w <- w[match(d$id, unique(d$id))]
  write.csv(d, file.path("..", "sets", paste0(name, ".csv")), row.names = FALSE); d }
# myeloid: the path of the multi-state vignette of survival: complete response, transplant, relapse, death
m <- myeloid; m$txtime <- with(m, ifelse(!is.na(txtime) & !is.na(crtime) & txtime == crtime, txtime + .5, txtime))
m$rltime <- with(m, ifelse(!is.na(rltime) & !is.na(txtime) & rltime == txtime, rltime + .5, rltime))
m$futime <- with(m, ifelse(death == 0 & (futime == pmax(crtime, txtime, rltime, na.rm = TRUE)) %in% TRUE, futime + 1, futime))
td <- tmerge(m[, c("id", "trt", "sex")], m, id = id, death = event(futime, death), cr = event(crtime), sct = event(txtime), relapse = event(rltime))
td$to <- with(td, ifelse(death == 1, "death", ifelse(relapse == 1, "relapse", ifelse(sct == 1, "sct", ifelse(cr == 1, "cr", "")))))
td <- td[order(td$id, td$tstart), ]
td$state <- unlist(tapply(td$to, td$id, function(v) c("entry", head(v, -1))))
my <- lay(data.frame(id = td$id, trt = as.character(td$trt), time_from = td$tstart, time = td$tstop, state = td$state, to = td$to), "myeloid_states")
# mgus2: to progression and death, death after progression counted
g <- mgus2; g$ptime <- with(g, ifelse(pstat == 1 & ptime == futime, ptime - .1, ptime))
td <- tmerge(g[, c("id", "sex")], g, id = id, death = event(futime, death), pcm = event(ptime, pstat))
td$to <- with(td, ifelse(death == 1, "death", ifelse(pcm == 1, "pcm", ""))); td <- td[order(td$id, td$tstart), ]
td$state <- unlist(tapply(td$to, td$id, function(v) c("mgus", head(v, -1))))
mg <- lay(data.frame(id = td$id, sex = as.character(td$sex), time_from = td$tstart, time = td$tstop, state = td$state, to = td$to), "mgus2_states")
# like ebmt3 and worse: people come and go, come under observation late and in different states, ties everywhere
set.seed(8); rows <- list(); S <- c("waiting", "active", "lapsed", "done")
for (i in 1:160) { s <- sample(1:3, 1, prob = c(.8, .15, .05)); t <- if (runif(1) < .7) -1 else sample(0:9, 1); end <- t + sample(20:90, 1)
  while (TRUE) { u <- t + 1 + rgeom(1, c(.08, .04, .03, .0001)[s]); if (u > end || s == 4) { rows[[length(rows) + 1]] <- list(i, t, end, S[s], ""); break }
    n <- if (s == 1) sample(2:3, 1, prob = c(.8, .2)) else if (s == 2) sample(3:4, 1, prob = c(.6, .4)) else sample(c(2, 4), 1, prob = c(.9, .1))
    rows[[length(rows) + 1]] <- list(i, t, u, S[s], S[n]); t <- u; s <- n; if (t >= end) break } }
r <- do.call(rbind, lapply(rows, function(v) data.frame(id = v[[1]], time_from = v[[2]], time = v[[3]], state = v[[4]], to = v[[5]])))
r$arm <- ifelse(r$id %% 3 == 0, "b", "a"); re <- lay(r, "returning_states")
fit <- function(d, states, weighted) survfit(Surv(time_from, time, factor(to, c("", states))) ~ 1, d, id = id, istate = factor(state, states),
  weights = if (weighted) d$w else rep(1, nrow(d)), conf.type = "log-log", influence = TRUE)
told <- function(d, states, by, at, weighted) { out <- list()
  for (v in sort(unique(d[[by]]))) { f <- fit(d[d[[by]] == v, ], states, weighted); s <- summary(f, times = at); o <- match(states, f$states)
    out[[v]] <- list(p = s$pstate[, o, drop = FALSE], se = s$std.err[, o, drop = FALSE], lo = s$lower[, o, drop = FALSE], hi = s$upper[, o, drop = FALSE], f = f, o = o, w = if (weighted) with(d[d[[by]] == v, ], w[match(levels(factor(id)), id)]) else 1) }
  out }
# a probability of 0 is a rounding error in R under weights; it has no limits
flat <- function(parts, what) I(unlist(lapply(parts, function(p) { v <- p[[what]]; if (what %in% c("lo", "hi")) v[p$p < 1e-12] <- NA; as.vector(t(v)) })))
area <- function(p, tau) { f <- p$f; k <- f$time <= tau; edge <- diff(c(0, pmax(f$time[k], 0), tau)); P <- rbind(f$p0, f$pstate[k, , drop = FALSE])
  U <- f$influence.pstate; U <- U[, 1:(sum(k) + 1), , drop = FALSE]
  list(est = (edge %*% P)[p$o], se = apply(U, 3, function(u) sqrt(sum((p$w * (u %*% edge))^2)))[p$o]) }
args <- function(states, by, w) { a <- list(states = I(states), person = "id", by = by); if (w) a$weights <- "w"; a }
ask <- list(list(my, "myeloid_states", c("entry", "cr", "sct", "relapse", "death"), "trt", c(100, 365, 1000), 730),
  list(mg, "mgus2_states", c("mgus", "pcm", "death"), "sex", c(24, 120, 300), 240), list(re, "returning_states", S, "arm", c(0, 10, 30, 60), 50))
for (q in ask) for (w in c(FALSE, TRUE)) { parts <- told(q[[1]], q[[3]], q[[4]], q[[5]], w); id <- paste(q[[2]], if (w) "weighted" else "")
  case(paste("occupation", id), q[[2]], "survival.state_occupation", c(args(q[[3]], q[[4]], w), list(times = q[[5]])),
    list(estimate = flat(parts, "p"), std_error = flat(parts, "se"), conf_low = flat(parts, "lo"), conf_high = flat(parts, "hi")), "summary(survfit(Surv(start, stop, event) ~ 1, id, istate, weights), times)")
  a <- lapply(parts, area, q[[6]])
  case(paste("days", id), q[[2]], "survival.state_days", c(args(q[[3]], q[[4]], w), list(tau = q[[6]])),
    list(estimate = flat(a, "est"), std_error = flat(a, "se")), "area under pstate; error from influence.pstate") }
# landmark Aalen-Johansen: those in a state at a day, followed from there
marks <- list(list(my, "myeloid_states", c("entry", "cr", "sct", "relapse", "death"), "trt", "cr", 150, c(365, 1000)), list(re, "returning_states", S, "arm", "lapsed", 20, c(30, 50)))
for (q in marks) for (w in c(FALSE, TRUE)) { d <- q[[1]]; who <- d$id[d$time_from <= q[[6]] & d$time > q[[6]] & d$state == q[[5]]]; d <- d[d$id %in% who & d$time > q[[6]], ]; d$time_from <- pmax(d$time_from, q[[6]])
  parts <- told(d, q[[3]], q[[4]], q[[7]], w)
  case(paste("landmark", q[[2]], q[[5]], if (w) "weighted" else ""), q[[2]], "landmark", c(args(q[[3]], q[[4]], w), list(times = q[[7]], from = q[[5]], day = q[[6]])),
    list(estimate = flat(parts, "p"), std_error = flat(parts, "se")), "the same of those in the state after the landmark (Putter and Spitoni 2018)") }
save_cases("states")
