/** JSON to and from plain maps and lists. */
package io.kingfisher.train.json;
