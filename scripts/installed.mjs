/** npm's postinstall script: after a complete `npm ci` by hand, the launcher need not install again. */

import { writeStamp } from './launch.mjs';

if (!process.env['npm_config_omit']) writeStamp();
