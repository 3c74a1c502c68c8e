# Writes the public data sets shipped with R's survival package as CSV, in the columns the golden tests use.
# Times in days unless the source has other units. Run by all.R.
suppressMessages(library(survival))
put <- function(d, name) write.csv(d, file.path("..", "sets", paste0(name, ".csv")), row.names = FALSE)
sets <- list()
v <- veteran; v$celltype <- as.character(v$celltype); sets$veteran <- v
l <- lung[complete.cases(lung[, c("time", "status", "age", "sex", "ph.ecog")]), c("time", "status", "age", "sex", "ph.ecog", "inst")]
l$status <- l$status - 1; names(l)[5] <- "ecog"; l <- l[!is.na(l$inst), ]; sets$lung <- l
sets$aml <- data.frame(time = aml$time, status = aml$status, x = as.character(aml$x))
sets$leukemia6mp <- data.frame(  # Freireich et al. 1963, weeks in remission; Kleinbaum & Klein, chapter 1
  time = c(6,6,6,7,10,13,16,22,23,6,9,10,11,17,19,20,25,32,32,34,35,
           1,1,2,2,3,4,4,5,5,8,8,8,8,11,11,12,12,15,17,22,23),
  status = c(rep(1, 9), rep(0, 12), rep(1, 21)),
  arm = rep(c("6mp", "placebo"), each = 21),
  logwbc = c(2.31,4.06,3.28,4.43,2.96,2.88,3.60,2.32,2.57,3.20,2.80,2.70,2.60,2.16,2.05,2.01,1.78,2.20,2.53,1.47,1.45,
             2.80,5.00,4.91,4.48,4.01,4.36,2.42,3.49,3.97,3.52,3.05,2.32,3.26,3.49,2.12,1.50,3.06,2.30,2.95,2.73,1.97))
o <- ovarian; sets$ovarian <- data.frame(time = o$futime, status = o$fustat, age = o$age, rx = o$rx, ps = o$ecog.ps)
k <- kidney; sets$kidney <- data.frame(id = k$id, time = k$time, status = k$status, age = k$age, sex = k$sex, disease = as.character(k$disease))
h <- heart; sets$heart <- data.frame(start = h$start, stop = h$stop, event = h$event, age = h$age, year = h$year, surgery = h$surgery, transplant = as.integer(as.character(h$transplant)), id = h$id)
m <- mgus2; m$etime <- ifelse(m$pstat == 0, m$futime, m$ptime); m$cause <- ifelse(m$pstat == 0, 2 * m$death, 1)
m$ageband <- ifelse(m$age < 70, "young", "old")
sets$mgus2 <- m[, c("id", "age", "sex", "etime", "cause", "ageband")]; sets$mgus2$sex <- as.character(sets$mgus2$sex)
c1 <- colon[colon$etype == 2, ]; sets$colon <- data.frame(id = c1$id, time = c1$time, status = c1$status, rx = as.character(c1$rx), sex = c1$sex, age = c1$age, obstruct = c1$obstruct, extent = c1$extent, node4 = c1$node4)
b <- bladder2; sets$bladder <- data.frame(id = b$id, start = b$start, stop = b$stop, event = b$event, rx = b$rx, number = b$number, size = b$size, enum = b$enum)
p <- pbc[!is.na(pbc$trt), ]; sets$pbc <- data.frame(id = p$id, time = p$time, cause = ifelse(p$status == 2, 2, ifelse(p$status == 1, 1, 0)), dead = as.integer(p$status == 2), trt = p$trt, age = p$age, sex = as.character(p$sex), bili = p$bili, albumin = p$albumin, edema = p$edema, stage = ifelse(is.na(p$stage), 3, p$stage))
g <- gbsg; sets$gbsg <- data.frame(time = g$rfstime, status = g$status, hormon = g$hormon, age = g$age, meno = g$meno, size = g$size, grade = g$grade, nodes = g$nodes)
y <- myeloid; cr <- with(y, data.frame(id = id, trt = as.character(trt), sex = as.character(sex), time = pmin(ifelse(is.na(txtime), Inf, txtime), futime), cause = ifelse(!is.na(txtime) & txtime <= futime, 1, 2 * death)))
sets$myeloid <- cr
cg <- cgd; sets$cgd <- data.frame(id = cg$id, start = cg$tstart, stop = cg$tstop, event = cg$status, treat = as.character(cg$treat), age = cg$age)
rt <- rotterdam; set.seed(1); rt <- rt[sort(sample(nrow(rt), 600)), ]
sets$rotterdam <- data.frame(time = rt$dtime, status = rt$death, chemo = rt$chemo, hormon = rt$hormon, age = rt$age, meno = rt$meno, grade = rt$grade, nodes = rt$nodes, er = rt$er)
for (n in names(sets)) {
  d <- sets[[n]]; set.seed(nchar(n) * 7 + nrow(d))
  d$w <- round(runif(nrow(d), 0.2, 3), 3); d$iw <- sample(0:3, nrow(d), TRUE)
  sets[[n]] <- d; put(d, n)
}
sets <- lapply(sets, function(d) { rownames(d) <- NULL; d })
