/** One suite of checks for all devices: every op against the reference device, on the same inputs. */
package io.kingfisher.runtime.conformance;
