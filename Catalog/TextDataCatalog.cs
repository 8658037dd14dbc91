using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Loading;

namespace MLExtensions;

/// <summary>Loaders of text in ML.NET's catalog of data.</summary>
public static class TextDataCatalog
{
    /// <param name="catalog">The data operations, <c>mlContext.Data</c>.</param>
    extension(DataOperationsCatalog catalog)
    {
        /// <summary>
        /// Loads a text file, a row for each line: empty lines too, and nothing of a line is cut off or taken for a separator or a quote.
        /// </summary>
        /// <remarks>
        /// The file must be UTF-8, with or without a byte order mark, and may be gzipped; its first bytes tell. A line ends with a line
        /// feed or a carriage return and a line feed. Nothing is read before the rows are, and then one line after the other, so a file
        /// may be larger than the memory. The rows cannot be shuffled and have no count.
        /// </remarks>
        /// <param name="path">The file.</param>
        /// <param name="columnName">The name of the text column.</param>
        /// <exception cref="FileNotFoundException">There is no such file.</exception>
        /// <exception cref="FormatException">When the rows are read: a line is not UTF-8, or the gzipped data is damaged; the message names the file and the line.</exception>
        public IDataView LoadFromTextLines(string path, string columnName) => catalog.LoadFromTextLines([path], columnName);

        /// <summary>Loads a text file, a row for each line, in the column <c>Text</c>.</summary>
        /// <inheritdoc cref="LoadFromTextLines(DataOperationsCatalog, string, string)"/>
        public IDataView LoadFromTextLines(string path) => catalog.LoadFromTextLines(path, "Text");

        /// <summary>Loads text files, one after the other, a row for each line.</summary>
        /// <param name="paths">The files.</param>
        /// <param name="columnName">The name of the text column.</param>
        /// <exception cref="ArgumentException">There is no path.</exception>
        /// <inheritdoc cref="LoadFromTextLines(DataOperationsCatalog, string, string)"/>
        public IDataView LoadFromTextLines(IReadOnlyList<string> paths, string columnName) =>
            TextLineView.Create(CatalogUtils.GetEnvironment(catalog), paths, columnName);
    }
}
