using Microsoft.ML;

namespace MLExtensions;

/// <summary>Adds networks that read one text and write another to the context: <c>mlContext.SequenceToSequence</c>.</summary>
public static class SequenceToSequenceContextCatalog
{
    /// <param name="context">The ML.NET context.</param>
    extension(MLContext context)
    {
        /// <summary>Evaluation of networks that read one text and write another: answers, translations, corrections.</summary>
        public SequenceToSequenceCatalog SequenceToSequence => new(context);
    }
}

/// <summary>Evaluation of networks that read one text and write another.</summary>
public sealed partial class SequenceToSequenceCatalog
{
    internal SequenceToSequenceCatalog(MLContext context) => Context = context;

    internal MLContext Context { get; }
}
