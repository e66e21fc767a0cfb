/* SPDX-License-Identifier: ISC */
#include "pod-net/firewalld/zone.h"

#include <string.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/wire/sdbus.h"

#define LIMIT_US 25000000 /* of one call; firewalld is busy for seconds when it loads its rules */

/* Nobody has that name; starting one is not our affair. */
static bool
is_absent(const sd_bus_error *error)
{
	return sd_bus_error_has_name(error, SD_BUS_ERROR_SERVICE_UNKNOWN) ||
	       sd_bus_error_has_name(error, SD_BUS_ERROR_NAME_HAS_NO_OWNER);
}

/* It is not there, or in a zone of the administrator's choice. */
static bool
is_not_ours(const sd_bus_error *error)
{
	return error->message != NULL && (text_has_prefix(error->message, "UNKNOWN_SOURCE") ||
					     text_has_prefix(error->message, "ZONE_CONFLICT"));
}

/* 1: done; 0: no firewalld; -1: e. */
static int
call(sd_bus *bus, const char *method, const char *subnet, struct err *e)
{
	own(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	own_sdbus_message sd_bus_message *m = NULL;
	int r = sd_bus_message_new_method_call(
	    bus, &m, FIREWALLD, FIREWALLD_OBJECT, FIREWALLD ".zone", method);

	if (r >= 0)
		r = sd_bus_message_set_auto_start(m, 0);
	if (r >= 0)
		r = sd_bus_message_append(m, "ss", "trusted", subnet);
	if (r < 0)
		return sdbus_failed(r, "making a message", e);
	r = sd_bus_call(bus, m, LIMIT_US, &error, NULL);
	if (r >= 0)
		return 1;
	if (is_absent(&error))
		return 0;
	if (is_not_ours(&error))
		return 1;
	return err_set(e, ERR_NETWORK, "firewalld: %s of %s: %s", method, subnet,
	    error.message != NULL ? error.message : strerror(-r));
}

int
zone_change(int take_bus, const struct strs *subnets, bool no_more, struct err *e)
{
	own_sdbus sd_bus *bus = NULL;
	int r = 1;

	if (sdbus_adopt(take_bus, &bus, e) != 0)
		return -1;
	for (size_t i = 0; r == 1 && i < subnets->n; i++)
		r = call(bus, no_more ? "removeSource" : "changeZoneOfSource", subnets->v[i], e);
	return r;
}
