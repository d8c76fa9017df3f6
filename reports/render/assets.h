/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQUEST_REPORTS_RENDER_ASSETS_H
#define INQUEST_REPORTS_RENDER_ASSETS_H

#include <stddef.h>

/* The page's inline parts, embedded when inquest is built (reports/assets/). */
struct asset {
    const char *bytes; /* not NUL-terminated */
    size_t size;
    const char *hash; /* "sha256-…", as a Content-Security-Policy names it */
};

extern const struct asset asset_report_css, asset_page_js, asset_threads_js;
extern const struct asset asset_sandwich_js;
extern const struct asset asset_flame_css, asset_flame_dark_css, asset_flame_page_css,
    asset_flame_js;

#endif
