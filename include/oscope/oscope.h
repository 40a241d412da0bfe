/* SPDX-License-Identifier: MIT */
/* liboscope: everything. */
#ifndef OSCOPE_OSCOPE_H
#define OSCOPE_OSCOPE_H

#include <oscope/error.h>
#include <oscope/events.h>
#include <oscope/export.h>
#include <oscope/locks.h>
#include <oscope/log.h>
#include <oscope/monitor.h>
#include <oscope/profile.h>
#include <oscope/record.h>
#include <oscope/devices.h>
#include <oscope/report.h>
#include <oscope/rows.h>
#include <oscope/session.h>
#include <oscope/view.h>

#endif
