/* SPDX-License-Identifier: ISC */
/*
 * By way of which proxy a URL is asked for, as Go's programs read it from the environment: HTTP_PROXY and HTTPS_PROXY,
 * and NO_PROXY with what is asked directly; the names may be written small.
 */
#ifndef POD_FETCH_PROXY_H
#define POD_FETCH_PROXY_H

/* The proxy's URL, which the caller frees, or NULL: none.  url is one of http or https. */
char *proxy_for_url(const char *url);

/*
 * The same with the values of the variables, which may be NULL.  localhost and addresses of the loopback are never
 * asked by way of a proxy.  no_proxy is a list with commas: "*" is everything; an address or a block of addresses
 * (10.0.0.0/8); a name, which stands for what is below it too; ".name" or "*.name", only for that.  All but a block may
 * have ":port" behind it.
 */
char *proxy_choose(const char *url, const char *proxy, const char *no_proxy);

#endif
