using Microsoft.Extensions.VectorData;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Galleries;

namespace MLExtensions;

/// <summary>Adds galleries to ML.NET's catalog of data operations.</summary>
public static class GalleryCatalog
{
    /// <param name="catalog">The data operations, <c>mlContext.Data</c>.</param>
    extension(DataOperationsCatalog catalog)
    {
        /// <summary>Finds the neighbors of rows in a store: any store behind <c>Microsoft.Extensions.VectorData</c>.</summary>
        /// <remarks>
        /// Adds <c>NeighborNames</c> (vector of Text) and <c>NeighborScores</c> (vector of Single, in the store's own order), shorter than asked
        /// where the store has fewer records. Rows are searched when they are read, each time anew, so changes of the store are seen. A
        /// <see cref="SqliteGalleryStore"/> is read once for each block of up to 1,024 rows; other stores are asked row by row. What the view is
        /// made with stays open as long as it is read.
        /// </remarks>
        /// <param name="input">The rows.</param>
        /// <param name="store">The store, such as a collection.</param>
        /// <param name="name">What a record is called in the added column.</param>
        /// <param name="featureColumnName">The column of the vectors, a <c>Vector&lt;Single&gt;</c> of known size.</param>
        /// <param name="numberOfNeighbors">How many neighbors are found.</param>
        /// <param name="outputColumnPrefix">What the names of the added columns begin with; may be empty.</param>
        /// <param name="search">A filter and other options of the search; null for none.</param>
        /// <exception cref="ArgumentException">The column is missing or of another type.</exception>
        /// <exception cref="ArgumentOutOfRangeException">The number is not positive.</exception>
        /// <example>
        /// <code>
        /// using var store = new SqliteGalleryStore("people.db", "faces-2026-11");
        /// var people = store.GetCollection&lt;string, Person&gt;("people");
        /// var found = ml.Data.FindNeighbors(embedded, people, person => person.Name, "Embedding", numberOfNeighbors: 3);
        /// </code>
        /// </example>
        public IDataView FindNeighbors<TRecord>(
            IDataView input,
            IVectorSearchable<TRecord> store,
            Func<TRecord, string> name,
            string featureColumnName = DefaultColumnNames.Features,
            int numberOfNeighbors = 10,
            string outputColumnPrefix = "Neighbor",
            VectorSearchOptions<TRecord>? search = null)
            where TRecord : class
        {
            ArgumentNullException.ThrowIfNull(input);
            ArgumentNullException.ThrowIfNull(store);
            ArgumentNullException.ThrowIfNull(name);
            ArgumentException.ThrowIfNullOrWhiteSpace(featureColumnName);
            ArgumentNullException.ThrowIfNull(outputColumnPrefix);
            ArgumentOutOfRangeException.ThrowIfLessThan(numberOfNeighbors, 1);
            return new GalleryNeighborsView<TRecord>(CatalogUtils.GetEnvironment(catalog), input, new GalleryNeighbors<TRecord>(store, name, featureColumnName, numberOfNeighbors, outputColumnPrefix, search));
        }
    }
}
