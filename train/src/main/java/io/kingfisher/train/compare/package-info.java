/** What came out of a comparison: measures over seeds, tables, files and the report. */
package io.kingfisher.train.compare;
