using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Tests.Contract;

/// <summary>A column of a type that a family cannot use: the message has the line of code that helps, and it does.</summary>
[TestClass]
public sealed class ColumnAdviceTests
{
    private static readonly MLContext Ml = new(1);

    [TestMethod]
    [DataRow(nameof(Row.Array), "VectorType(n)", "SchemaDefinition.Create(typeof(Row)); schema[\"Array\"].ColumnType = new VectorDataViewType(NumberDataViewType.Single, n)")]
    [DataRow(nameof(Row.DoubleArray), "VectorType(n)", "ConvertType(\"DoubleArray\", outputKind: DataKind.Single)")]
    [DataRow(nameof(Row.Doubles), "ConvertType(\"Doubles\", outputKind: DataKind.Single)")]
    [DataRow(nameof(Row.Whole), "ConvertType(\"Whole\", outputKind: DataKind.Single)")]
    [DataRow(nameof(Row.Yes), "ConvertType(\"Yes\", outputKind: DataKind.Single)")]
    [DataRow(nameof(Row.Text), "\"Text\"")]
    public void Feature_OfAWrongType_SaysTheWayOut(string column, params string[] expected)
    {
        foreach (var subject in Subjects.TrainingNames.Select(name => Subjects.Training((string)name[0])))
        {
            if (subject is TextSubject or ForecastSubject || (subject.TakesAnyLength && column is nameof(Row.Array) or nameof(Row.Text)))
                continue;
            var message = Refusal(subject, o => subject.SetFeatureColumn(o, column));
            Assert.Contains($"'{column}' has type", message, subject.Name);
            // A sequence is a vector of any length: it is told so of scalars, and of the number's type otherwise.
            var expectedHere = !subject.TakesAnyLength ? expected : column is nameof(Row.Whole) or nameof(Row.Yes) ? ["one row per sequence"] : expected[^1..];
            foreach (var part in expectedHere)
                Assert.Contains(part, message, subject.Name);
        }
    }

    [TestMethod]
    public void Text_OfAWrongType_SaysTheWayOut()
    {
        var subject = Subjects.Training("LanguageModel");
        Assert.Contains("ConvertType(\"Whole\", outputKind: DataKind.String)", Refusal(subject, o => subject.SetFeatureColumn(o, nameof(Row.Whole))));
        Assert.Contains("Each row has one text", Refusal(subject, o => subject.SetFeatureColumn(o, nameof(Row.Doubles))));
    }

    [TestMethod]
    public void Series_OfAWrongType_SaysTheWayOut()
    {
        var subject = Subjects.Training("Forecast");
        Assert.Contains("ConvertType(\"Whole\", outputKind: DataKind.Single)", Refusal(subject, o => ((LstmForecastingEstimator.Options)o).InputColumnName = nameof(Row.Whole)));
        Assert.Contains("ExtraColumnNames", Refusal(subject, o => ((LstmForecastingEstimator.Options)o).InputColumnName = nameof(Row.Doubles)));
        Assert.Contains("VectorType(n)", Refusal(subject, o =>
            (((LstmForecastingEstimator.Options)o).InputColumnName, ((LstmForecastingEstimator.Options)o).ExtraColumnNames) = (nameof(Row.Weight), [nameof(Row.Array)])));
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.Names), typeof(Subjects))]
    public void Label_OfAWrongType_SaysTheWayOut(string name)
    {
        var subject = Subjects.Get(name);
        var (scalar, vector) = subject.Task == ContractTask.Binary ? ("ConvertType(\"Whole\", outputKind: DataKind.Boolean)", "one model per label")
            : subject.Task == ContractTask.Multiclass ? ("MapValueToKey(\"Whole\")", "a binary model per class")
            : ("ConvertType(\"Whole\", outputKind: DataKind.Single)", "target.Value = row.Doubles[0]");
        if (subject.Task == ContractTask.Binary)
            Assert.Contains("MapValue(\"Text\"", Refusal(subject, o => ((SupervisedTrainerOptions)o).LabelColumnName = nameof(Row.Text)));
        Assert.Contains(scalar, Refusal(subject, o => ((SupervisedTrainerOptions)o).LabelColumnName = nameof(Row.Whole)));
        Assert.Contains(vector, Refusal(subject, o => ((SupervisedTrainerOptions)o).LabelColumnName = nameof(Row.Doubles)));
    }

    /// <summary>The lines of the messages, as they are.</summary>
    [TestMethod]
    public void Advice_Helps()
    {
        var trainer = Ml.Regression.Trainers.Mlp(new MlpRegressionTrainer.Options { LabelColumnName = nameof(Row.Weight), HiddenLayers = [], Epochs = 1 });
        foreach (var column in new[] { nameof(Row.Doubles), nameof(Row.Whole), nameof(Row.Yes) })
        {
            var pipeline = Ml.Transforms.Conversion.ConvertType(column, outputKind: DataKind.Single).Append(Ml.Transforms.CopyColumns("Features", column)).Append(trainer);
            Assert.IsNotNull(pipeline.Fit(Data()).Network());
        }
        var schema = SchemaDefinition.Create(typeof(Row));
        schema[nameof(Row.Array)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, 3);
        var sized = Ml.Data.LoadFromEnumerable([new Row(), new Row()], schema);
        Assert.AreEqual(3, Ml.Transforms.CopyColumns("Features", nameof(Row.Array)).Append(trainer).Fit(sized).Network().Architecture.InputCount);
        var binary = Ml.BinaryClassification.Trainers.Mlp(new MlpBinaryTrainer.Options { LabelColumnName = nameof(Row.Whole), FeatureColumnName = nameof(Row.Weight), HiddenLayers = [], Epochs = 1 });
        Assert.IsNotNull(Ml.Transforms.Conversion.ConvertType(nameof(Row.Whole), outputKind: DataKind.Boolean).Append(binary).Fit(Data()).Network());
        var one = Ml.Transforms.CustomMapping<Row, Target>((row, target) => target.Value = (float)row.Doubles[0], null);
        var first = Ml.Regression.Trainers.Mlp(new MlpRegressionTrainer.Options { LabelColumnName = nameof(Target.Value), FeatureColumnName = nameof(Row.Weight), HiddenLayers = [], Epochs = 1 });
        Assert.IsNotNull(one.Append(first).Fit(Data()).Network());
    }

    /// <summary>A trained model says it too, of what it is to score.</summary>
    [TestMethod]
    public void Scoring_SaysTheWayOut()
    {
        using var model = Ml.Regression.Trainers.Mlp(new MlpRegressionTrainer.Options { LabelColumnName = nameof(Row.Weight), FeatureColumnName = nameof(Row.Weight), HiddenLayers = [], Epochs = 1 }).Fit(Data());
        var array = Ml.Transforms.DropColumns(nameof(Row.Weight)).Append(Ml.Transforms.CopyColumns(nameof(Row.Weight), nameof(Row.Array))).Fit(Data()).Transform(Data());
        Assert.Contains("VectorType(n)", Assert.Throws<ArgumentException>(() => model.Transform(array)).Message);
        var whole = Ml.Transforms.CopyColumns(nameof(Row.Weight), nameof(Row.Whole)).Fit(Data()).Transform(Data());
        Assert.Contains("ConvertType(\"Weight\", outputKind: DataKind.Single)", Assert.Throws<ArgumentException>(() => model.Transform(whole)).Message);
    }

    private static IDataView Data() => Ml.Data.LoadFromEnumerable([new Row(), new Row { Whole = 0, Weight = 2 }]);

    private static string Refusal(TrainingSubject subject, Action<DataTrainingOptions> change)
    {
        // The other columns are those of the contract's rows.
        var options = subject.Options(change);
        if (options is SupervisedTrainerOptions { FeatureColumnName: nameof(Example.Features) } supervised)
            supervised.FeatureColumnName = subject.TakesAnyLength ? nameof(Row.Array) : nameof(Row.Singles);
        return Assert.Throws<ArgumentException>(() => subject.CreateEstimator(Ml, options).Fit(Data()), subject.Name).Message;
    }

    private sealed class Row
    {
        public float[] Array { get; set; } = [1, 2, 3];

        public double[] DoubleArray { get; set; } = [1, 2, 3];

        [VectorType(3)]
        public double[] Doubles { get; set; } = [1, 2, 3];

        [VectorType(48)]
        public float[] Singles { get; set; } = new float[48];

        public int Whole { get; set; } = 1;

        public bool Yes { get; set; } = true;

        public string Text { get; set; } = "text";

        public float Weight { get; set; } = 1;
    }

    private sealed class Target
    {
        public float Value { get; set; }
    }
}
