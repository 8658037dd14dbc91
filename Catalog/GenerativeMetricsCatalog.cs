using Microsoft.ML;
using Microsoft.ML.Runtime;
using MLExtensions.Families.Generative;

namespace MLExtensions;

/// <content>Evaluation of generative models. Everything is measured on columns, whatever made the samples.</content>
public sealed partial class GenerativeModelCatalog
{
    /// <summary>
    /// Compares the distribution of generated rows with that of real rows: the Fréchet distance of a feature column, beside that of real rows
    /// from other real rows.
    /// </summary>
    /// <remarks>
    /// Features that say what matters, such as the last hidden layer of a classifier of the real classes, tell more than pixels.
    /// Compare distances only if features and numbers of rows are the same.
    /// </remarks>
    /// <param name="real">Real rows, best those that the generator was not trained on.</param>
    /// <param name="generated">Generated rows, best as many as there are real rows.</param>
    /// <param name="featureColumnName">
    /// The column to compare, a <c>Vector&lt;Single&gt;</c> of the same known size in both, a <c>Single</c>, or an image.
    /// </param>
    /// <param name="otherReal">
    /// Real rows that are not in <paramref name="real"/>, for the real-against-real floor. Null: a random half of <paramref name="real"/>
    /// is compared with the other half; the floor is then that of half as many rows.
    /// </param>
    /// <param name="seed">The seed of the random samples that the floor is computed from. Default 1.</param>
    /// <exception cref="ArgumentException">
    /// A column is missing, of a wrong type or of another size, or there are fewer than 2 rows.
    /// </exception>
    /// <exception cref="FormatException">A value is NaN or infinite; the message names column, row and slot.</exception>
    /// <example>
    /// <code>
    /// IDataView generated = data;
    /// var metrics = ml.GenerativeModels.Evaluate(real: test, generated, "Features");
    /// Console.WriteLine($"{metrics.FrechetDistance}, {metrics.Floor?.Ratio} times that of real rows");
    /// </code>
    /// </example>
    public GenerativeMetrics Evaluate(IDataView real, IDataView generated, string featureColumnName = "Features", IDataView? otherReal = null, int seed = 1)
    {
        ArgumentNullException.ThrowIfNull(real);
        ArgumentNullException.ThrowIfNull(generated);
        ArgumentException.ThrowIfNullOrWhiteSpace(featureColumnName);
        return GenerativeEvaluator.Evaluate(Host, real, generated, featureColumnName, otherReal, seed);
    }

    /// <summary>
    /// Measures how often samples that were generated for a class are recognized as that class by a classifier of real rows (GAN-test of
    /// Shmelkov, Schmid and Alahari, "How good is my GAN?", 2018).
    /// </summary>
    /// <remarks>
    /// A generator that makes one good sample per class over and over is recognized perfectly; <see cref="EvaluateAsTrainingData"/> finds
    /// that out. The classifier must not be trained on the rows that it is judged by.
    /// </remarks>
    /// <param name="generated">Generated rows with the class that each was generated for, and the columns that the classifier reads.</param>
    /// <param name="classifier">A trained classifier, or a chain that ends with one. The caller still has to dispose it.</param>
    /// <param name="labelColumnName">
    /// The class of each row: a key, a text, a Boolean or a number. Classes are met by name (what keys stand for), not by number.
    /// </param>
    /// <param name="predictedLabelColumnName">The column that the classifier adds, of one of the same types.</param>
    /// <param name="real">Real rows that the classifier was not trained on, for its own accuracy. Null: that is not measured.</param>
    /// <exception cref="ArgumentException">
    /// A column is missing or of a wrong type, only one of them has names, no class is in both, or no row has a label.
    /// </exception>
    /// <example>
    /// <code>
    /// IDataView generated = data;
    /// var metrics = ml.GenerativeModels.EvaluateRecognition(generated, classifier: model, real: test);
    /// Console.WriteLine($"{metrics.Accuracy}, real rows {metrics.RealAccuracy}");
    /// </code>
    /// </example>
    public RecognitionMetrics EvaluateRecognition(
        IDataView generated,
        ITransformer classifier,
        string labelColumnName = "Label",
        string predictedLabelColumnName = "PredictedLabel",
        IDataView? real = null)
    {
        ArgumentNullException.ThrowIfNull(generated);
        ArgumentNullException.ThrowIfNull(classifier);
        ArgumentException.ThrowIfNullOrWhiteSpace(labelColumnName);
        ArgumentException.ThrowIfNullOrWhiteSpace(predictedLabelColumnName);
        return RecognitionEvaluator.Evaluate(generated, classifier, labelColumnName, predictedLabelColumnName, real);
    }

    /// <summary>
    /// Trains a classifier on generated rows and tests it on real ones (GAN-train of Shmelkov, Schmid and Alahari, "How good is my GAN?", 2018).
    /// It is low if samples are wrong, and also if they are right but all alike.
    /// </summary>
    /// <param name="real">Real rows with labels that the generator was not trained on.</param>
    /// <param name="generated">Generated rows with the class that each was generated for.</param>
    /// <param name="classifier">The classifier to train, or a pipeline that ends with one.</param>
    /// <param name="labelColumnName">
    /// The class of each row: a key, a text, a Boolean or a number. Classes are met by name (what keys stand for), not by number.
    /// </param>
    /// <param name="predictedLabelColumnName">The column that the classifier adds, of one of the same types.</param>
    /// <returns>The metrics of the real rows.</returns>
    /// <exception cref="ArgumentException">
    /// A column is missing or of a wrong type, only one of them has names, no class is in both, or no row has a label.
    /// </exception>
    /// <example>
    /// <code>
    /// IDataView generated = data;
    /// var metrics = ml.GenerativeModels.EvaluateAsTrainingData(real: test, generated, ml.MulticlassClassification.Trainers.Mlp());
    /// Console.WriteLine(metrics.Accuracy);
    /// </code>
    /// </example>
    public RecognitionMetrics EvaluateAsTrainingData(
        IDataView real,
        IDataView generated,
        IEstimator<ITransformer> classifier,
        string labelColumnName = "Label",
        string predictedLabelColumnName = "PredictedLabel")
    {
        ArgumentNullException.ThrowIfNull(real);
        ArgumentNullException.ThrowIfNull(generated);
        ArgumentNullException.ThrowIfNull(classifier);
        ArgumentException.ThrowIfNullOrWhiteSpace(labelColumnName);
        ArgumentException.ThrowIfNullOrWhiteSpace(predictedLabelColumnName);
        return RecognitionEvaluator.EvaluateTraining(real, generated, classifier, labelColumnName, predictedLabelColumnName);
    }

    /// <summary>
    /// Finds the training row nearest to each generated row: does the generator copy? The same of real rows that it was not trained on says
    /// what distance to expect.
    /// </summary>
    /// <remarks>
    /// Generated and held-out rows are held in memory; training rows are read once, in blocks. The time grows with the product of their numbers.
    /// </remarks>
    /// <param name="training">The real rows that the generator was trained on.</param>
    /// <param name="generated">Generated rows.</param>
    /// <param name="heldOut">Real rows that it was not trained on. Null: only generated rows are measured.</param>
    /// <param name="featureColumnName">
    /// The column to compare, a <c>Vector&lt;Single&gt;</c> of the same known size in all, a <c>Single</c>, or an image.
    /// </param>
    /// <exception cref="ArgumentException">A column is missing, of a wrong type or of another size, or there are no rows.</exception>
    /// <exception cref="FormatException">A value is NaN or infinite; the message names column, row and slot.</exception>
    /// <example>
    /// <code>
    /// IDataView generated = data;
    /// var metrics = ml.GenerativeModels.EvaluateNearest(training: train, generated, heldOut: test);
    /// Console.WriteLine($"{metrics.Generated.Mean}, test rows {metrics.HeldOut?.Mean}, {metrics.Generated.NumberOfCopies} copies");
    /// </code>
    /// </example>
    public NearestRowMetrics EvaluateNearest(IDataView training, IDataView generated, IDataView? heldOut = null, string featureColumnName = "Features")
    {
        ArgumentNullException.ThrowIfNull(training);
        ArgumentNullException.ThrowIfNull(generated);
        ArgumentException.ThrowIfNullOrWhiteSpace(featureColumnName);
        var rows = FeatureSet.Of(training, featureColumnName, "training data", minimumRows: 1);
        return NearestRows.Measure(
            rows,
            FeatureSet.Of(generated, featureColumnName, "generated data", rows, minimumRows: 1),
            heldOut == null ? null : FeatureSet.Of(heldOut, featureColumnName, "held-out data", rows, minimumRows: 1));
    }

    /// <summary>
    /// Measures samples of a mixture of normal distributions whose centers are known, such as a ring or a grid: the modes that are covered,
    /// the share of high-quality rows, the reverse Kullback-Leibler divergence.
    /// </summary>
    /// <param name="generated">Generated rows; 2,500 in the literature.</param>
    /// <param name="centers">The center of each mode, as many values as the column has.</param>
    /// <param name="standardDeviation">The standard deviation of each mode in every direction, in the unit of the column.</param>
    /// <param name="columnName">The column with the samples, a <c>Vector&lt;Single&gt;</c> of known size or a <c>Single</c>.</param>
    /// <param name="frequencies">How frequent each mode is; they are divided by their sum. Null: all are equally frequent.</param>
    /// <exception cref="ArgumentException">
    /// The column is missing, of a wrong type or of another size than the centers, there are no rows, or a value is out of range.
    /// </exception>
    /// <exception cref="FormatException">A value is NaN or infinite; the message names column, row and slot.</exception>
    /// <example>
    /// <code>
    /// IDataView generated = data;
    /// var ring = Enumerable.Range(0, 8).Select(i => new[] { MathF.Cos(MathF.Tau * i / 8), MathF.Sin(MathF.Tau * i / 8) }).ToArray();
    /// Console.WriteLine(ml.GenerativeModels.EvaluateMixture(generated, ring, standardDeviation: 0.01));
    /// </code>
    /// </example>
    public ModeMetrics EvaluateMixture(
        IDataView generated,
        IReadOnlyList<float[]> centers,
        double standardDeviation,
        string columnName = "Features",
        IReadOnlyList<double>? frequencies = null)
    {
        ArgumentNullException.ThrowIfNull(generated);
        ArgumentNullException.ThrowIfNull(centers);
        ArgumentException.ThrowIfNullOrWhiteSpace(columnName);
        return ModeEvaluator.EvaluateMixture(generated, centers, standardDeviation, columnName, frequencies);
    }

    /// <summary>
    /// Measures how samples spread over classes that are equally frequent, such as the 1,000 modes of stacked MNIST: the three digits that a
    /// classifier sees in the channels of an image.
    /// </summary>
    /// <param name="generated">Generated rows with their classes, as a classifier predicts them.</param>
    /// <param name="columnNames">
    /// The columns whose classes, taken together, are the modes: keys that have values or a known number. All combinations are modes.
    /// </param>
    /// <exception cref="ArgumentException">
    /// A column is missing or of a wrong type, or no row has a class.
    /// </exception>
    /// <example>
    /// <code>
    /// IDataView generated = data;
    /// var metrics = ml.GenerativeModels.EvaluateModes(generated, ["Red", "Green", "Blue"]); // the digits predicted in each channel
    /// Console.WriteLine($"{metrics.NumberOfCoveredModes} of {metrics.NumberOfModes}, {metrics.ReverseKullbackLeibler}");
    /// </code>
    /// </example>
    public ModeMetrics EvaluateModes(IDataView generated, IReadOnlyList<string> columnNames)
    {
        ArgumentNullException.ThrowIfNull(generated);
        ArgumentNullException.ThrowIfNull(columnNames);
        return ModeEvaluator.EvaluateModes(Host, generated, columnNames, frequencies: null);
    }

    /// <summary>Measures how samples spread over the classes of real rows.</summary>
    /// <param name="generated">Generated rows with their classes, as a classifier predicts them.</param>
    /// <param name="columnNames">
    /// The columns whose classes, taken together, are the modes: keys, texts, Booleans or numbers, in both. They are met by name.
    /// </param>
    /// <param name="real">Real rows with the same columns, whose classes are the modes with their frequencies.</param>
    /// <exception cref="ArgumentException">
    /// A column is missing or of a wrong type, no row has a class, or none is in one of the modes.
    /// </exception>
    /// <example>
    /// <code>
    /// IDataView generated = data;
    /// Console.WriteLine(ml.GenerativeModels.EvaluateModes(model.Transform(generated), ["PredictedLabel"], real: model.Transform(test)));
    /// </code>
    /// </example>
    public ModeMetrics EvaluateModes(IDataView generated, IReadOnlyList<string> columnNames, IDataView real)
    {
        ArgumentNullException.ThrowIfNull(generated);
        ArgumentNullException.ThrowIfNull(columnNames);
        ArgumentNullException.ThrowIfNull(real);
        return ModeEvaluator.EvaluateModes(Host, generated, columnNames, ModeEvaluator.Frequencies(real, columnNames));
    }

    /// <summary>Measures how samples spread over classes whose frequencies are known.</summary>
    /// <param name="generated">Generated rows with their classes, as a classifier predicts them.</param>
    /// <param name="columnNames">The columns whose classes, taken together, are the modes.</param>
    /// <param name="frequencies">
    /// How frequent each class is, by name; they are divided by their sum. Names of several columns are joined by a slash, such as
    /// <c>3/0/7</c>.
    /// </param>
    /// <exception cref="ArgumentException">
    /// A column is missing or of a wrong type, a frequency is out of range, no row has a class, or none is in one of the modes.
    /// </exception>
    /// <example>
    /// <code>
    /// IDataView generated = data;
    /// var metrics = ml.GenerativeModels.EvaluateModes(generated, ["PredictedLabel"], new Dictionary&lt;string, double&gt; { ["cat"] = 0.7, ["dog"] = 0.3 });
    /// Console.WriteLine(metrics.ReverseKullbackLeibler);
    /// </code>
    /// </example>
    public ModeMetrics EvaluateModes(IDataView generated, IReadOnlyList<string> columnNames, IReadOnlyDictionary<string, double> frequencies)
    {
        ArgumentNullException.ThrowIfNull(generated);
        ArgumentNullException.ThrowIfNull(columnNames);
        ArgumentNullException.ThrowIfNull(frequencies);
        return ModeEvaluator.EvaluateModes(Host, generated, columnNames, frequencies);
    }

    private IHost Host => ((IHostEnvironment)Context).Register("GenerativeModels");
}
