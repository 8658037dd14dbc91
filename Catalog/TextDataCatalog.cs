using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Loading;

namespace MLExtensions;

/// <summary>Adds text loaders to ML.NET's data catalog.</summary>
public static class TextDataCatalog
{
    /// <param name="catalog">The data operations, <c>mlContext.Data</c>.</param>
    extension(DataOperationsCatalog catalog)
    {
        /// <summary>Loads a text file as one row per line, including empty lines. Lines are not split, trimmed or unquoted.</summary>
        /// <remarks>
        /// The file must be UTF-8, with or without a byte order mark. A gzipped file is recognized by its first bytes. A line ends with a
        /// line feed, or with a carriage return and a line feed. The file is read line by line when the rows are, so it may be larger than
        /// the memory. The rows cannot be shuffled, and their number is not known in advance.
        /// </remarks>
        /// <param name="path">The file.</param>
        /// <param name="columnName">The name of the text column.</param>
        /// <exception cref="FileNotFoundException">The file does not exist.</exception>
        /// <exception cref="FormatException">
        /// A line is not valid UTF-8, or the gzipped data is damaged; the message names file and line. Thrown when the rows are read.
        /// </exception>
        /// <example>
        /// <code>
        /// var reviews = ml.Data.LoadFromTextLines("reviews.txt", "Review");
        /// </code>
        /// </example>
        public IDataView LoadFromTextLines(string path, string columnName) => catalog.LoadFromTextLines([path], columnName);

        /// <summary>Loads a text file as one row per line, in the column <c>Text</c>.</summary>
        /// <inheritdoc cref="LoadFromTextLines(DataOperationsCatalog, string, string)"/>
        /// <example>
        /// <code>
        /// var text = ml.Data.LoadFromTextLines("shakespeare.txt");
        /// using var model = ml.LanguageModels.Trainers.Lstm(LanguageModelEstimator.Options.Characters()).Fit(text);
        /// </code>
        /// </example>
        public IDataView LoadFromTextLines(string path) => catalog.LoadFromTextLines(path, "Text");

        /// <summary>Loads text files one after the other, as one row per line.</summary>
        /// <param name="paths">The files, in reading order.</param>
        /// <param name="columnName">The name of the text column.</param>
        /// <exception cref="ArgumentException">No path is given.</exception>
        /// <inheritdoc cref="LoadFromTextLines(DataOperationsCatalog, string, string)"/>
        /// <example>
        /// <code>
        /// var text = ml.Data.LoadFromTextLines(["part1.txt", "part2.txt.gz"], "Text");
        /// </code>
        /// </example>
        public IDataView LoadFromTextLines(IReadOnlyList<string> paths, string columnName) =>
            TextLineView.Create(CatalogUtils.GetEnvironment(catalog), paths, columnName);
    }
}
