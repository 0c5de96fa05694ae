/*
 * packager.h: the thread that makes packages, one after another.
 */
#ifndef SANDBOX_PACKAGER_H
#define SANDBOX_PACKAGER_H

#include "service.h"

typedef struct Packager Packager;

/* Begins with what an earlier run has left. NULL: it does not start. */
Packager *packager_start(const Service *service);
/* Says that there may be something to do; from any thread. */
void packager_wake(Packager *packager);
/* Ends it, and breaks off the package it is making, which is made at the next
 * start. NULL is allowed. */
void packager_stop(Packager *packager);

#endif
